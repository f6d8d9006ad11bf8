/**
 * Tells a crash loop from single crashes: so many deaths in a row of workers that had not been up for long, while no
 * other worker was stable either, mean that starting another one is pointless.
 */
export class CrashLoop {
  readonly #limit: number
  #deaths = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * @param death.stable the worker that died, or another one, had been ready for a while
   * @returns whether this is a crash loop now
   */
  died(death: { stable: boolean }): boolean {
    this.#deaths = death.stable ? 0 : this.#deaths + 1
    return this.#deaths >= this.#limit
  }
}
