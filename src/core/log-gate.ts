/** Lets one line an interval through to the log, and counts those that it held back. */
export class LogGate {
  readonly #intervalMs: number
  readonly #nowMs: () => number
  #openAtMs = Number.NEGATIVE_INFINITY
  #heldBack = 0

  constructor(intervalMs: number, nowMs: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs
    this.#nowMs = nowMs
  }

  /** Calls `write` with the number of lines held back since the last one, unless this one is to be held back too. */
  pass(write: (heldBack: number) => void): void {
    const nowMs = this.#nowMs()
    if (nowMs < this.#openAtMs) {
      this.#heldBack += 1
      return
    }
    this.#openAtMs = nowMs + this.#intervalMs
    const heldBack = this.#heldBack
    this.#heldBack = 0
    write(heldBack)
  }
}
