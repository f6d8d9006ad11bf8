/** A token bucket: a rate per second, with bursts. The caller passes the time in; there are no timers. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #capacity: number
  #tokens: number
  #filledAt: number

  /** Starts full. A rate of 0: no limit. */
  constructor(options: { perSecond: number; burst: number; now: number }) {
    this.#perSecond = options.perSecond
    this.#capacity = Math.max(1, options.burst)
    this.#tokens = this.#capacity
    this.#filledAt = options.now
  }

  take(now: number): boolean {
    if (this.#perSecond === 0) return true
    this.#fill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Milliseconds until `take` can succeed; 0: now. */
  waitMs(now: number): number {
    if (this.#perSecond === 0) return 0
    this.#fill(now)
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsedMs * this.#perSecond) / 1000)
    this.#filledAt = now
  }
}
