/**
 * A set whose items all have the same time limit, ordered by when they were added, with one timer for all.
 * Items past the limit are removed and reported.
 */
export class DeadlineSet<T> {
  readonly #limitMs: number
  readonly #onOverdue: (item: T) => void
  readonly #now: () => number
  readonly #since = new Map<T, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: { limitMs: number; onOverdue: (item: T) => void; now: () => number }) {
    this.#limitMs = options.limitMs
    this.#onOverdue = options.onOverdue
    this.#now = options.now
  }

  get size(): number {
    return this.#since.size
  }

  get oldest(): T | undefined {
    return this.#since.keys().next().value
  }

  /** When the oldest was added; undefined when the set is empty. */
  get oldestSince(): number | undefined {
    return this.#since.values().next().value
  }

  add(item: T): void {
    this.#since.set(item, this.#now())
    this.#timer ??= setTimeout(() => this.#sweep(), this.#limitMs)
  }

  delete(item: T): boolean {
    const had = this.#since.delete(item)
    if (this.#since.size === 0) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    return had
  }

  /** Removes all items. @returns them, oldest first */
  clear(): T[] {
    const all = [...this.#since.keys()]
    for (const item of all) this.delete(item)
    return all
  }

  #sweep(): void {
    this.#timer = undefined
    const now = this.#now()
    const overdue: T[] = []
    for (const [item, since] of this.#since) {
      const leftMs = since + this.#limitMs - now
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#sweep(), leftMs)
        break
      }
      overdue.push(item)
    }
    for (const item of overdue) this.#since.delete(item)
    for (const item of overdue) this.#onOverdue(item)
  }
}
