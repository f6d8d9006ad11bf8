/**
 * How often a room is told who came and went. What changes in a room of n goes to n, so that n who come at once would cost n² frames:
 * the more hear of it, the longer changes are gathered. The first change after a quiet time waits for nothing. Pure: told the time.
 */

/** Each member adds as much: frames of presence in a room are 2,000 a second, until it has 3,000 members. */
const WAIT_MS_A_MEMBER = 0.5
const WAIT_MAX_MS = 1_500

export class PresenceThrottle {
  readonly #batchMs: number
  /** The large rooms alone, the one told last at the end. */
  readonly #publishedAt = new Map<string, number>()

  /** @param wholeMs how long changes of any room are gathered anyway */
  constructor(batchMs: number) {
    this.#batchMs = batchMs
  }

  /** Rooms that are remembered. */
  get size(): number {
    return this.#publishedAt.size
  }

  isDue(room: string, members: number, nowMs: number): boolean {
    const publishedAt = this.#publishedAt.get(room)
    return publishedAt === undefined || nowMs - publishedAt >= waitMsOf(members)
  }

  published(room: string, members: number, nowMs: number): void {
    this.#publishedAt.delete(room)
    if (waitMsOf(members) > this.#batchMs) this.#publishedAt.set(room, nowMs)
    this.#forgetBefore(nowMs - WAIT_MAX_MS)
  }

  #forgetBefore(timeMs: number): void {
    for (const [room, publishedAt] of this.#publishedAt) {
      if (publishedAt > timeMs) return
      this.#publishedAt.delete(room)
    }
  }
}

function waitMsOf(members: number): number {
  return Math.min(members * WAIT_MS_A_MEMBER, WAIT_MAX_MS)
}
