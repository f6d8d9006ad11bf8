/**
 * How often a room is told who came and went. What changes in a room of n goes to n, so that n who come at once would cost n² frames:
 * the more hear of it, the longer changes are gathered. The first change after a quiet time waits for nothing. Pure: told the time.
 */

/** Each member adds as much: frames of presence in a room are 2,000 a second, until it has 3,000 members. */
const WAIT_MS_A_MEMBER = 0.5
const WAIT_MAX_MS = 1_500

export class PresencePace {
  readonly #wholeMs: number
  /** The large rooms alone, the one told last at the end. */
  readonly #toldAt = new Map<string, number>()

  /** @param wholeMs how long changes of any room are gathered anyway */
  constructor(wholeMs: number) {
    this.#wholeMs = wholeMs
  }

  /** Rooms that are remembered. */
  get size(): number {
    return this.#toldAt.size
  }

  isDue(room: string, members: number, nowMs: number): boolean {
    const toldAt = this.#toldAt.get(room)
    return toldAt === undefined || nowMs - toldAt >= waitMsOf(members)
  }

  told(room: string, members: number, nowMs: number): void {
    this.#toldAt.delete(room)
    if (waitMsOf(members) > this.#wholeMs) this.#toldAt.set(room, nowMs)
    this.#forgetBefore(nowMs - WAIT_MAX_MS)
  }

  #forgetBefore(timeMs: number): void {
    for (const [room, toldAt] of this.#toldAt) {
      if (toldAt > timeMs) return
      this.#toldAt.delete(room)
    }
  }
}

function waitMsOf(members: number): number {
  return Math.min(members * WAIT_MS_A_MEMBER, WAIT_MAX_MS)
}
