/** Limits a log message to one line per interval, and counts the lines that were held back. */
export class LogThrottle {
  readonly #intervalMs: number
  readonly #nowMs: () => number
  #nextLineAtMs = Number.NEGATIVE_INFINITY
  #heldBack = 0

  constructor(intervalMs: number, nowMs: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs
    this.#nowMs = nowMs
  }

  /** Calls `write` with the number of lines held back since the last line, or holds this line back too. */
  run(write: (heldBack: number) => void): void {
    const nowMs = this.#nowMs()
    if (nowMs < this.#nextLineAtMs) {
      this.#heldBack += 1
      return
    }
    this.#nextLineAtMs = nowMs + this.#intervalMs
    const heldBack = this.#heldBack
    this.#heldBack = 0
    write(heldBack)
  }
}
