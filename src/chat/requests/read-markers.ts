/**
 * Which markers this worker has already told of, so that a marker that did not move is not told again. Bounded: one
 * that is forgotten may be told once more, which says nothing false; it is never told a step back.
 */
const REMEMBERED_MAX = 10_000

export class ReadMarkers {
  /** Least lately moved first. */
  readonly #told = new Map<string, number>()

  /** Whether `seq` is further than what was told of this user and room. */
  moves(userId: string, room: string, seq: number): boolean {
    const key = `${room} ${userId}`
    if (seq <= (this.#told.get(key) ?? 0)) return false
    this.#told.delete(key)
    this.#told.set(key, seq)
    const [oldest] = this.#told.keys()
    if (this.#told.size > REMEMBERED_MAX && oldest !== undefined) this.#told.delete(oldest)
    return true
  }
}
