/** Functions that are called for each other's sake: one that throws does not keep the next from being called. */
export class Listeners<A extends unknown[]> {
  readonly #listeners = new Set<(...args: A) => void>()
  readonly #failed: (error: unknown) => void

  /** @param failed told of what a listener throws */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get size(): number {
    return this.#listeners.size
  }

  /** @returns takes the listener away again */
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
