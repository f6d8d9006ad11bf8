/**
 * How much one may do: a window that holds a burst, and is as long as the rate needs to allow for one. Decides nothing
 * about what a refusal looks like.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface RateWindow {
  readonly points: number
  readonly durationMs: number
}

/** Takes one from what `key` has left. Resolves with 0, or when nothing is left with the milliseconds until there is. */
export type RateLimiter = (key: string) => Promise<number>

/** `perSecond` on average, `burst` at once. */
export function rateWindow(perSecond: number, burst: number): RateWindow {
  return { points: burst, durationMs: Math.max(1, Math.round((1_000 * burst) / perSecond)) }
}

/** Counted in this process. */
export function memoryRateLimiter({ points, durationMs }: RateWindow): RateLimiter {
  const limiter = new RateLimiterMemory({ points, duration: durationMs / 1_000 })
  return async (key) => {
    try {
      await limiter.consume(key)
      return 0
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      return Math.max(1, Math.ceil(refused.msBeforeNext))
    }
  }
}
