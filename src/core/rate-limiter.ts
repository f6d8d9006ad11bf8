/** Rate limits as windows: a window allows one burst, and is long enough for the average rate. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface RateWindow {
  readonly points: number
  readonly durationMs: number
}

/** Counts one for `key`. Resolves with 0, or, when the limit is reached, with the milliseconds to wait. */
export type RateLimiter = (key: string) => Promise<number>

/** Allows `perSecond` on average and `burst` at once. */
export function rateWindow(perSecond: number, burst: number): RateWindow {
  return { points: burst, durationMs: Math.max(1, Math.round((1_000 * burst) / perSecond)) }
}

/** Counts in this process. */
export function memoryRateLimiter({ points, durationMs }: RateWindow): RateLimiter {
  const limiter = new RateLimiterMemory({ points, duration: durationMs / 1_000 })
  return async (key) => {
    try {
      await limiter.consume(key)
      return 0
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      // The library measures by the clock of the machine, which may have been set back.
      return Math.min(durationMs, Math.max(1, Math.ceil(refused.msBeforeNext)))
    }
  }
}
