/**
 * How much a user may ask for: a window that holds a burst and is as long as the rate needs to allow for one.
 * Counted in this worker: a user with connections on several workers may have as many times the rate.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { AppSettings } from '../wire/app.ts'
import { RookeryError } from '../wire/errors.ts'

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
  const limiter = new RateLimiterMemory({ points: burst, duration: burst / perSecond })
  return async (key) => {
    try {
      await limiter.consume(key)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      const retryAfterMs = Math.max(1, Math.ceil(refused.msBeforeNext))
      throw new RookeryError('rate_limited', 'too much at once', { retryAfterMs })
    }
  }
}
