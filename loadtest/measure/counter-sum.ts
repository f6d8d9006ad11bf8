/**
 * Sums counters that only grow, over processes that start, exit and restart at zero. Pure. Values at the
 * first reading do not count.
 */
export interface CounterValue {
  /** Identifies one process. */
  key: string
  /** What is summed. */
  group: string
  value: number
}

export class CounterSum {
  readonly #last = new Map<string, number>()
  readonly #sums = new Map<string, number>()
  #isFirst = true

  /** A missing reading keeps its last value; a new one counts from zero, except in the first call. */
  take(readings: readonly CounterValue[]): Record<string, number> {
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
