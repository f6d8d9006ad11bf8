/**
 * Runs a callback at most once per animation frame. A hidden page has no frames: there it runs after a delay.
 */

const HIDDEN_MS = 250

export class FrameScheduler {
  readonly #callback: () => void
  #cancel: (() => void) | undefined

  constructor(callback: () => void) {
    this.#callback = callback
  }

  readonly request = (): void => {
    if (this.#cancel !== undefined) return
    if (document.hidden) {
      const timer = setTimeout(this.#run, HIDDEN_MS)
      this.#cancel = () => clearTimeout(timer)
    } else {
      const frame = requestAnimationFrame(this.#run)
      this.#cancel = () => cancelAnimationFrame(frame)
    }
  }

  /** Runs now, if it was requested. */
  readonly flush = (): void => {
    if (this.#cancel !== undefined) this.#run()
  }

  readonly cancel = (): void => {
    this.#cancel?.()
    this.#cancel = undefined
  }

  readonly #run = (): void => {
    this.cancel()
    this.#callback()
  }
}
