/**
 * Asks the server until there is an answer for good, within a limit of time: what fails for now is asked again with
 * growing delays, and at once when there is a connection again.
 */
import type { ChatAnswers, ChatEvent } from '../../wire/chat.ts'
import { ChatError, closed } from '../errors.ts'
import { type BackOff, retryDelayMs } from './back-off.ts'
import type { Clock } from './clock.ts'
import type { Asked, Connection } from './connection.ts'

export interface RequestsOptions {
  clock: Clock
  backOff: BackOff
  requestTimeoutMs: number
  readonly connection: () => Connection
  /** The server will not have this user: nothing is waited for. */
  readonly isRefused: () => boolean
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #pauses = new Set<() => void>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** @param isWanted asked before each try */
  async ask<E extends ChatEvent>(
    event: E,
    payload: Asked<E>,
    isWanted = () => true,
  ): Promise<ChatAnswers[E]> {
    const { clock, backOff, requestTimeoutMs, connection, isRefused } = this.#options
    const deadline = clock.now() + requestTimeoutMs
    for (let failures = 1; ; failures += 1) {
      if (!isWanted()) throw closed(event)
      try {
        return await connection().ask(event, payload)
      } catch (error) {
        const failure = ChatError.from(error)
        const leftMs = deadline - clock.now()
        const delayMs = retryDelayMs(backOff, failures, failure.retryAfterMs)
        if (!failure.retryable || leftMs <= 0 || isRefused()) throw failure
        await this.#pause(failure.code === 'offline' ? leftMs : Math.min(leftMs, delayMs))
      }
    }
  }

  /** There is a connection again, or all is over: nothing waits for its time. */
  resume(): void {
    for (const resume of this.#pauses) resume()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        cancel()
        this.#pauses.delete(resume)
        resolve()
      }
      const cancel = this.#options.clock.after(ms, resume)
      this.#pauses.add(resume)
    })
  }
}
