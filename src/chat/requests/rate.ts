/**
 * Rate limits per user, counted in this worker, which refuse far too many requests at once. Messages and
 * requests that return a page are counted over all workers and hosts too. Other requests are not: a user with
 * connections on several workers may make that many times more of them.
 */
import type { RateLimiter } from '../../core/rate-limiter.ts'
import { memoryRateLimiter, rateWindow } from '../../core/rate-limiter.ts'
import type { AppSettings } from '../../wire/app.ts'
import { RookeryError } from '../../wire/errors.ts'

/** Counts one request of `key`. Rejects with `rate_limited`. */
export type Rate = (key: string) => Promise<void>

export interface Rates {
  readonly message: Rate
  /** Requests that read a room. Of their own, so that they leave room for read markers and typing. */
  readonly page: Rate
  readonly request: Rate
}

/** @param factor multiplies the limits, for a caller that acts for many users */
export function rates(settings: AppSettings, factor = 1): Rates {
  return {
    message: rate(settings.messageRate * factor, settings.messageBurst * factor),
    page: rate(settings.requestRate * factor, settings.requestBurst * factor),
    request: rate(settings.requestRate * factor, settings.requestBurst * factor),
  }
}

/** Allows `perSecond` on average and `burst` at once. */
export function rate(perSecond: number, burst: number): Rate {
  const limiter: RateLimiter = memoryRateLimiter(rateWindow(perSecond, burst))
  return async (key) => {
    const retryAfterMs = await limiter(key)
    if (retryAfterMs > 0) throw new RookeryError('rate_limited', 'too much at once', { retryAfterMs })
  }
}
