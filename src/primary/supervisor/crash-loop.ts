/**
 * Distinguishes a crash loop from single crashes. It is a crash loop if a number of workers in a row died
 * soon after their start while no other worker was stable.
 */
export class CrashLoop {
  readonly #limit: number
  #deaths = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * @param death.stable whether the dead worker, or another one, had been ready for a while
   * @returns whether this is a crash loop now
   */
  died(death: { stable: boolean }): boolean {
    this.#deaths = death.stable ? 0 : this.#deaths + 1
    return this.#deaths >= this.#limit
  }
}
