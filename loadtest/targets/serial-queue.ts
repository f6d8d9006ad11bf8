/** Work that is done one after the other, in the order in which it was asked for: a start waits for the stop before it. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    // Who asked hears of a failure; the next one goes on.
    this.#last = mine.catch(() => undefined)
    return mine
  }

  /** Resolves when what was asked for until now is done; holds up nobody. */
  async idle(): Promise<void> {
    await this.#last
  }
}
