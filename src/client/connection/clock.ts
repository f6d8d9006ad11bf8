/**
 * The client's source of time, replaceable in tests. Delays use a monotonic clock. The wall clock only dates
 * pending messages.
 */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Unix milliseconds, for display only. */
  wallNow(): number
  /** @returns a function that cancels the timer */
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

/** A timer that fires once. When it is set several times, the earliest time counts. */
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

  /** Fires in `ms` milliseconds, unless it fires earlier anyway. */
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

export function noop(): void {}
