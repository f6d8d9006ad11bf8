/**
 * Limits how often a room's presence is published. A change in a room of n members goes to n members, so n
 * simultaneous joins would cost n² frames: the larger the room, the longer changes are gathered. The first
 * change after a quiet time is not delayed. Pure: time is passed in.
 */

/** Wait for each member: presence frames of a room stay at 2,000 per second, up to 3,000 members. */
const WAIT_MS_A_MEMBER = 0.5
const WAIT_MAX_MS = 1_500

export class PresenceThrottle {
  readonly #batchMs: number
  /** Only large rooms; the most recently published is last. */
  readonly #publishedAt = new Map<string, number>()

  /** @param batchMs how long changes of any room are gathered anyway */
  constructor(batchMs: number) {
    this.#batchMs = batchMs
  }

  /** Number of rooms in memory. */
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
