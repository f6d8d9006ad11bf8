/**
 * Runs work one after the other, in the order in which it was added: a start waits for the stop before it.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    // The caller gets a failure; the queue goes on.
    this.#last = mine.catch(() => undefined)
    return mine
  }

  /** Resolves when everything added so far is done, without blocking later work. */
  async idle(): Promise<void> {
    await this.#last
  }
}
