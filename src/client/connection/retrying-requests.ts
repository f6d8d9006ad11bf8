/**
 * Sends a request until it gets a final answer, within a time limit. Failures that are retryable are retried
 * with back-off, and at once after a reconnect.
 */
import type { ChatAnswers, ChatEvent } from '../../wire/chat.ts'
import { ChatError, closed } from '../errors.ts'
import { type BackOff, retryDelayMs } from './back-off.ts'
import type { Clock } from './clock.ts'
import type { Connection, RequestPayload } from './connection.ts'

export interface RetryingRequestsOptions {
  clock: Clock
  backOff: BackOff
  requestTimeoutMs: number
  readonly connection: () => Connection
  /** The server refuses this user: do not retry. */
  readonly isRefused: () => boolean
}

export class RetryingRequests {
  readonly #options: RetryingRequestsOptions
  readonly #waiting = new Set<() => void>()

  constructor(options: RetryingRequestsOptions) {
    this.#options = options
  }

  /**
   * @param use as in `Connection.request`. An answer that it throws for is final.
   * @param isWanted checked before each attempt
   */
  async request<E extends ChatEvent, T>(
    event: E,
    payload: RequestPayload<E>,
    use: (answer: ChatAnswers[E]) => T,
    isWanted = () => true,
  ): Promise<T> {
    const { clock, backOff, requestTimeoutMs, connection, isRefused } = this.#options
    const deadline = clock.now() + requestTimeoutMs
    for (let failures = 1; ; failures += 1) {
      if (!isWanted()) throw closed(event)
      let isAnswered = false
      const useOnce = (answer: ChatAnswers[E]) => {
        isAnswered = true
        return use(answer)
      }
      try {
        return await connection().request(event, payload, useOnce)
      } catch (error) {
        const failure = ChatError.from(error)
        const leftMs = deadline - clock.now()
        const delayMs = retryDelayMs(backOff, failures, failure.retryAfterMs)
        if (isAnswered || !failure.retryable || leftMs <= 0 || isRefused()) throw failure
        await this.#wait(failure.code === 'offline' ? leftMs : Math.min(leftMs, delayMs))
      }
    }
  }

  /** Ends all waits: there is a connection again, or the client is closed. */
  retryNow(): void {
    for (const resume of this.#waiting) resume()
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        cancel()
        this.#waiting.delete(resume)
        resolve()
      }
      const cancel = this.#options.clock.after(ms, resume)
      this.#waiting.add(resume)
    })
  }
}
