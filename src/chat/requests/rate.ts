/**
 * How much a user may ask for, counted in this worker: it refuses at once what is far too much. Messages are counted over
 * all workers and hosts as well, where they are appended, and so are requests with a page for an answer; others are not, so
 * that a user with connections on several workers may make as many times more of them.
 */
import type { RateLimiter } from '../../core/rate-limiter.ts'
import { memoryRateLimiter, rateWindow } from '../../core/rate-limiter.ts'
import type { AppSettings } from '../../wire/app.ts'
import { RookeryError } from '../../wire/errors.ts'

/** Takes one from what `key` has left. Rejects with `rate_limited`. */
export type Rate = (key: string) => Promise<void>

export interface Rates {
  readonly message: Rate
  readonly request: Rate
}

/** `factor`: one that speaks for many users has so many times a user's share. */
export function rates(settings: AppSettings, factor = 1): Rates {
  return {
    message: rate(settings.messageRate * factor, settings.messageBurst * factor),
    request: rate(settings.requestRate * factor, settings.requestBurst * factor),
  }
}

/** `perSecond` on average, `burst` at once. */
export function rate(perSecond: number, burst: number): Rate {
  const take: RateLimiter = memoryRateLimiter(rateWindow(perSecond, burst))
  return async (key) => {
    const retryAfterMs = await take(key)
    if (retryAfterMs > 0) throw new RookeryError('rate_limited', 'too much at once', { retryAfterMs })
  }
}
