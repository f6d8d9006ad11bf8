/**
 * Runs at most `permits` tasks at a time. Up to `queueMax` others wait, first come first served; more are
 * refused.
 */
export class Semaphore {
  readonly #permits: number
  readonly #queueMax: number
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(limits: { permits: number; queueMax: number }) {
    this.#permits = limits.permits
    this.#queueMax = limits.queueMax
  }

  /** Tasks that wait for a permit. */
  get waiting(): number {
    return this.#queue.length
  }

  get isFull(): boolean {
    return this.#running >= this.#permits && this.#queue.length >= this.#queueMax
  }

  /** Rejects when the queue is full, and as `task` does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.isFull) throw new Error(`${this.#queueMax} tasks are waiting already`)
    if (this.#running >= this.#permits) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#running += 1
    try {
      return await task()
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
