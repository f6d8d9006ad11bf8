/** Does something once a frame, however often it is asked to; a page that is not shown has no frames and gets it done later. */

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

  /** Now, if it was asked for. */
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
