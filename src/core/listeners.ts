/** A list of listeners. When one throws, the next ones are still called. */
export class Listeners<A extends unknown[]> {
  readonly #listeners = new Set<(...args: A) => void>()
  readonly #failed: (error: unknown) => void

  /** @param failed called with what a listener throws */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get size(): number {
    return this.#listeners.size
  }

  /** @returns a function that removes the listener */
  add(listener: (...args: A) => void): () => void {
    const own = (...args: A) => listener(...args)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  call(...args: A): void {
    for (const listener of this.#listeners) {
      try {
        listener(...args)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}
