/**
 * At the start: how many hosts are live, as far as one Redis server knows. The start waits until that many
 * have joined.
 */
export class ExpectedHosts {
  /** Resolves when all of them have joined, or after a time limit. */
  readonly done: Promise<void>
  readonly #known: () => number
  #end: () => void = () => undefined
  #expected = Number.POSITIVE_INFINITY

  /** @param known number of other hosts that have proven themselves */
  constructor(known: () => number) {
    this.#known = known
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** @param reach how many hosts a message to all has reached, including this one; may be unknown */
  async count(reach: Promise<unknown>, timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.end(), timeoutMs)
    const reached = await reach.catch(() => undefined)
    if (typeof reached === 'number') this.#expected = reached - 1
    this.check()
    await this.done
    clearTimeout(timer)
  }

  /** The number of known hosts has changed. */
  check(): void {
    if (this.#known() >= this.#expected) this.end()
  }

  end(): void {
    this.#end()
  }
}
