/**
 * Messages to the primary that could not be sent: kept and sent again with growing delays, so that no
 * presence session or connection that has ended stays counted. Bounded: past the limit the oldest message is
 * dropped and counted.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import { registerGauge } from '../../core/register-gauge.ts'

const MAX_QUEUED = 50_000
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 10_000
/** Least time between two log lines about failures. */
const FAILED_LOG_MS = 5_000

export interface RetryQueueOptions<T> {
  /** Sending the same message twice must be harmless. */
  send(message: T): Promise<unknown>
  /** What is left, for the log and the names of metrics: `presence`. */
  part: string
  logger: Logger
  registry: Registry
  maxQueued?: number
  firstDelayMs?: number
}

export class RetryQueue<T> {
  readonly #options: RetryQueueOptions<T>
  readonly #throttle = new LogThrottle(FAILED_LOG_MS)
  readonly #maxQueued: number
  readonly #firstDelayMs: number
  /** Oldest first. */
  readonly #queued = new Set<T>()
  readonly #dropped: Counter
  #delayMs: number
  /** A retry waits for its time or is running. */
  #scheduled = false

  constructor(options: RetryQueueOptions<T>) {
    const { part, registry } = options
    this.#options = options
    this.#maxQueued = options.maxQueued ?? MAX_QUEUED
    this.#firstDelayMs = options.firstDelayMs ?? FIRST_DELAY_MS
    this.#delayMs = this.#firstDelayMs
    registerGauge(registry, {
      name: `rookery_${part}_untold_leaves`,
      help: 'Leaves that could not be reported to the primary yet',
      read: () => this.#queued.size,
    })
    this.#dropped = new Counter({
      name: `rookery_${part}_forgotten_leaves_total`,
      help: 'Leaves that were dropped without being reported, because too many waited',
      registers: [registry],
    })
  }

  send(message: T): void {
    this.#options.send(message).catch((error: unknown) => {
      this.#warn(error)
      this.#enqueue(message)
    })
  }

  #enqueue(message: T): void {
    this.#queued.add(message)
    const [oldest] = this.#queued
    if (this.#queued.size > this.#maxQueued && oldest !== undefined) {
      this.#queued.delete(oldest)
      this.#dropped.inc()
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#queued.size === 0) return
    this.#scheduled = true
    setTimeout(() => void this.#retry(), this.#delayMs).unref()
  }

  /** One after the other: when the first fails, the next would fail too. */
  async #retry(): Promise<void> {
    try {
      for (const message of this.#queued) {
        await this.#options.send(message)
        this.#queued.delete(message)
      }
      this.#delayMs = this.#firstDelayMs
    } catch (error) {
      this.#warn(error)
      this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS)
    }
    this.#scheduled = false
    this.#schedule()
  }

  #warn(error: unknown): void {
    const { logger, part } = this.#options
    this.#throttle.run((heldBack) =>
      logger.warn({ err: error, heldBack, part }, 'a leave could not be reported to the primary yet'),
    )
  }
}
