/**
 * The read markers that this worker has announced last, so that a marker that did not move is not announced
 * again. Bounded: a forgotten marker may be announced once more, which is harmless. A marker is never
 * announced backwards.
 */
const REMEMBERED_MAX = 10_000

export class ReadMarkers {
  /** Least recently moved first. */
  readonly #announced = new Map<string, number>()

  /** @returns whether `seq` is above the last announced marker of this user and room */
  advance(userId: string, room: string, seq: number): boolean {
    const key = `${room} ${userId}`
    if (seq <= (this.#announced.get(key) ?? 0)) return false
    this.#announced.delete(key)
    this.#announced.set(key, seq)
    const [oldest] = this.#announced.keys()
    if (this.#announced.size > REMEMBERED_MAX && oldest !== undefined) this.#announced.delete(oldest)
    return true
  }
}
