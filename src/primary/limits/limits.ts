/**
 * Limits per user over all workers and all hosts: messages and log pages per time window, and open
 * connections. With several hosts the first two are counted only in Redis: without Redis no message is
 * accepted anyway, and pages are not counted. While Redis does not answer, the connection limit uses this
 * host's numbers. Open connections are never closed.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RateLimiter, RateWindow } from '../../core/rate-limiter.ts'
import { memoryRateLimiter, rateWindow } from '../../core/rate-limiter.ts'
import { registerGauge } from '../../core/register-gauge.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import { RookeryError } from '../../wire/errors.ts'
import { ConnectionReporter } from './connection-reporter.ts'
import type { UserConnection } from './connection-table.ts'
import { ConnectionTable } from './connection-table.ts'
import type { RedisCounters } from './redis-counters.ts'
import { takeFromRedis, writeConnections } from './redis-counters.ts'

/** How long a caller waits for the numbers of other hosts, where it can go on without them. */
const OTHER_HOSTS_WAIT_MS = 1_000
const RETRY_AFTER_MS = 5_000
const FAILED_LOG_MS = 10_000

export interface LimitSettings {
  readonly messageRate: number
  readonly messageBurst: number
  readonly requestRate: number
  readonly requestBurst: number
  readonly connectionsPerUser: number
}

export interface UserLimitsOptions {
  settings: LimitSettings
  /** Undefined if the host works alone. */
  shared: RedisCounters | undefined
  logger: Logger
  registry: Registry
}

export class UserLimits {
  readonly #settings: LimitSettings
  readonly #table = new ConnectionTable()
  readonly #takeMessage: RateLimiter
  readonly #takePage: RateLimiter
  readonly #reporter: ConnectionReporter | undefined
  readonly #refused: Counter<'what'>
  readonly #uncounted: Counter

  constructor({ settings, shared, logger, registry }: UserLimitsOptions) {
    this.#settings = settings
    const takeFrom = (what: 'messages' | 'pages', window: RateWindow) =>
      shared === undefined ? memoryRateLimiter(window) : takeFromRedis(shared, what, window)
    this.#takeMessage = takeFrom('messages', rateWindow(settings.messageRate, settings.messageBurst))
    this.#takePage = takeFrom('pages', rateWindow(settings.requestRate, settings.requestBurst))
    this.#reporter = shared === undefined ? undefined : this.#createReporter(shared, logger, registry)
    this.#refused = new Counter({
      name: 'rookery_limits_refused_total',
      help: 'Messages, pages and connections that were refused because their user had too many on all workers and hosts',
      labelNames: ['what'],
      registers: [registry],
    })
    this.#uncounted = new Counter({
      name: 'rookery_limits_uncounted_total',
      help: 'Pages served although Redis did not count them in time',
      registers: [registry],
    })
    this.#registerMetrics(registry)
  }

  /** Counts one message of the user. Rejects with `rate_limited`. */
  async takeMessage(userId: string): Promise<void> {
    this.#refuse('message', await this.#takeMessage(userId))
  }

  /** Counts one log page of the user. Rejects only with `rate_limited`: reading continues without Redis. */
  async takePage(userId: string): Promise<void> {
    const uncounted = () => {
      this.#uncounted.inc()
      return 0
    }
    this.#refuse(
      'page',
      await withTimeout(OTHER_HOSTS_WAIT_MS, this.#takePage(userId).catch(uncounted), uncounted),
    )
  }

  /**
   * Counts one more connection. Rejects with `rate_limited` if there are too many; then it is not counted.
   */
  async enter(worker: string, connection: UserConnection): Promise<void> {
    this.#table.enter(worker, connection)
    const others = (await this.#others(connection.userId)) ?? 0
    const { connectionsPerUser } = this.#settings
    const place = this.#table.place(worker, connection)
    if (connectionsPerUser === 0 || place === 0 || others + place <= connectionsPerUser) return
    this.leave(worker, connection)
    this.#refused.inc({ what: 'connection' })
    const message = `a user can have ${connectionsPerUser} connections`
    throw new RookeryError('rate_limited', message, { retryAfterMs: RETRY_AFTER_MS })
  }

  leave(worker: string, connection: UserConnection): void {
    if (this.#table.leave(worker, connection)) this.#reporter?.report(connection.userId)
  }

  workerGone(worker: string): void {
    for (const userId of this.#table.dropWorker(worker)) this.#reporter?.report(userId)
  }

  close(): void {
    this.#reporter?.close()
  }

  #refuse(what: 'message' | 'page', retryAfterMs: number): void {
    if (retryAfterMs === 0) return
    this.#refused.inc({ what })
    throw new RookeryError('rate_limited', `too many ${what}s at once`, { retryAfterMs })
  }

  #others(userId: string): Promise<number | undefined> | undefined {
    if (this.#reporter === undefined) return undefined
    return withTimeout<number | undefined>(OTHER_HOSTS_WAIT_MS, this.#reporter.ask(userId), () => undefined)
  }

  #createReporter(shared: RedisCounters, logger: Logger, registry: Registry): ConnectionReporter {
    const throttle = new LogThrottle(FAILED_LOG_MS)
    const dropped = new Counter({
      name: 'rookery_limits_forgotten_users_total',
      help: 'Users whose connection count was never reported to Redis, because too many waited',
      registers: [registry],
    })
    const reporter = new ConnectionReporter({
      write: (userId) => writeConnections(shared, userId, this.#table.count(userId)),
      isConnected: (userId) => this.#table.count(userId) > 0,
      onFailed: (err) =>
        throttle.run((heldBack) => logger.warn({ err, heldBack }, 'connections could not be counted yet')),
      onDropped: () => dropped.inc(),
      now: () => performance.now(),
    })
    shared.connection.onHealth((reason) => reporter.setAvailable(reason === null, this.#table.users()))
    return reporter
  }

  #registerMetrics(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number) =>
      registerGauge(registry, { name, help, read })
    gauge('rookery_limits_users', 'Users whose connections here are counted', () => this.#table.size)
    const reporter = this.#reporter
    if (reporter === undefined) return
    gauge(
      'rookery_limits_untold_users',
      'Users whose connection count was not reported to Redis yet',
      () => reporter.waiting,
    )
  }
}
