/**
 * Time as the client uses it, so that a test can bring its own. Waits go by a clock that never jumps; the wall clock only
 * says when a pending message was written.
 */
export interface Clock {
  /** Milliseconds on a clock that only goes forward. */
  now(): number
  /** Unix milliseconds, for show. */
  wallNow(): number
  /** @returns takes the timer away */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** One timer that can be set again: the earlier of what is asked for. */
export class Timer {
  readonly #clock: Clock
  readonly #run: () => void
  #cancel: (() => void) | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock
    this.#run = run
  }

  get isSet(): boolean {
    return this.#cancel !== undefined
  }

  /** In so many milliseconds, unless it rings before that anyway. */
  schedule(ms: number): void {
    const at = this.#clock.now() + ms
    if (at >= this.#at) return
    this.cancel()
    this.#at = at
    this.#cancel = this.#clock.after(ms, () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#cancel = undefined
      this.#run()
    })
  }

  cancel(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#at = Number.POSITIVE_INFINITY
  }
}

/** There is no timer to take away. */
export function noop(): void {}
