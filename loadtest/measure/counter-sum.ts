/**
 * Sums of counters that only grow, over processes that come, go and begin anew at zero. Pure; what was there at the first look does
 * not count.
 */
export interface Reading {
  /** Of one life of one process. */
  key: string
  /** What is added up. */
  group: string
  value: number
}

export class CounterSum {
  readonly #last = new Map<string, number>()
  readonly #sums = new Map<string, number>()
  #isFirst = true

  /** A reading that is missing keeps what it had; one that is new counts from zero, unless this is the first look. */
  take(readings: readonly Reading[]): Record<string, number> {
    for (const { key, group, value } of readings) {
      const before = this.#last.get(key) ?? (this.#isFirst ? value : 0)
      const grown = value >= before ? value - before : value
      this.#sums.set(group, (this.#sums.get(group) ?? 0) + grown)
      this.#last.set(key, value)
    }
    this.#isFirst = false
    return Object.fromEntries(this.#sums)
  }
}
