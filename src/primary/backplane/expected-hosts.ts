/** How many hosts are there at the start, as far as one server can tell: so many are waited for. */
export class ExpectedHosts {
  /** Resolves when all of them are known, or that takes too long. */
  readonly done: Promise<void>
  readonly #known: () => number
  #end: () => void = () => undefined
  #expected = Number.POSITIVE_INFINITY

  /** @param known other hosts that have proven to be there */
  constructor(known: () => number) {
    this.#known = known
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** @param reach whom something that was said to all has reached, this host among them; it may not be known */
  async count(reach: Promise<unknown>, timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.end(), timeoutMs)
    const reached = await reach.catch(() => undefined)
    if (typeof reached === 'number') this.#expected = reached - 1
    this.check()
    await this.done
    clearTimeout(timer)
  }

  /** Other hosts are known than before. */
  check(): void {
    if (this.#known() >= this.#expected) this.end()
  }

  end(): void {
    this.#end()
  }
}
