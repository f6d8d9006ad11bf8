/**
 * What a user may do and have on all workers, and with other hosts there on all of them: messages in a time, and connections
 * at a time. Messages are counted in Redis alone then, as without it none is taken anyway; connections go by what is known
 * here while Redis does not answer. A connection that stands is never touched.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { LogGate } from '../core/log-gate.ts'
import { readGauge } from '../core/read-gauge.ts'
import type { Take } from '../core/window-rate.ts'
import { rateWindow, takeFromMemory } from '../core/window-rate.ts'
import { RookeryError } from '../wire/errors.ts'
import type { UserConnection } from './limits-connections.ts'
import { ConnectionTable } from './limits-connections.ts'
import type { SharedCounts } from './limits-redis.ts'
import { takeFromRedis, writeConnections } from './limits-redis.ts'
import { ConnectionTelling } from './limits-telling.ts'

/** Nobody waits longer than that to hear how many connections other hosts have. */
const OTHERS_MS = 1_000
const RETRY_AFTER_MS = 5_000
const FAILED_LOG_MS = 10_000

export interface LimitSettings {
  readonly messageRate: number
  readonly messageBurst: number
  readonly connectionsPerUser: number
}

export interface UserLimitsOptions {
  settings: LimitSettings
  /** None: this host is on its own. */
  shared: SharedCounts | undefined
  logger: Logger
  registry: Registry
}

export class UserLimits {
  readonly #settings: LimitSettings
  readonly #table = new ConnectionTable()
  readonly #take: Take
  readonly #telling: ConnectionTelling | undefined
  readonly #refused: Counter<'what'>

  constructor({ settings, shared, logger, registry }: UserLimitsOptions) {
    this.#settings = settings
    const window = rateWindow(settings.messageRate, settings.messageBurst)
    this.#take = shared === undefined ? takeFromMemory(window) : takeFromRedis(shared, window)
    this.#telling = shared === undefined ? undefined : this.#tellOthers(shared, logger, registry)
    this.#refused = new Counter({
      name: 'rookery_limits_refused_total',
      help: 'Messages and connections that were refused because their user had too many on all workers and hosts',
      labelNames: ['what'],
      registers: [registry],
    })
    this.#countOn(registry)
  }

  /** Takes one from the messages that the user may send. Rejects with `rate_limited`. */
  async takeMessage(userId: string): Promise<void> {
    const retryAfterMs = await this.#take(userId)
    if (retryAfterMs === 0) return
    this.#refused.inc({ what: 'message' })
    throw new RookeryError('rate_limited', 'too many messages at once', { retryAfterMs })
  }

  /** Counts one more connection. Rejects with `rate_limited` when that is one too many: then it is not counted. */
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
    if (this.#table.leave(worker, connection)) this.#telling?.tell(connection.userId)
  }

  workerGone(worker: string): void {
    for (const userId of this.#table.dropWorker(worker)) this.#telling?.tell(userId)
  }

  close(): void {
    this.#telling?.close()
  }

  #others(userId: string): Promise<number | undefined> | undefined {
    if (this.#telling === undefined) return undefined
    const told = this.#telling.ask(userId)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), OTHERS_MS)
      void told.then((others) => {
        clearTimeout(timer)
        resolve(others)
      })
    })
  }

  #tellOthers(shared: SharedCounts, logger: Logger, registry: Registry): ConnectionTelling {
    const gate = new LogGate(FAILED_LOG_MS)
    const forgotten = new Counter({
      name: 'rookery_limits_forgotten_users_total',
      help: 'Users whose number of connections Redis was never told, because too many waited',
      registers: [registry],
    })
    const telling = new ConnectionTelling({
      write: (userId) => writeConnections(shared, userId, this.#table.count(userId)),
      isHere: (userId) => this.#table.count(userId) > 0,
      onFailed: (err) =>
        gate.pass((heldBack) => logger.warn({ err, heldBack }, 'connections could not be counted yet')),
      onForgotten: () => forgotten.inc(),
      now: () => performance.now(),
    })
    shared.connection.onHealth((reason) => telling.setAble(reason === null, this.#table.users()))
    return telling
  }

  #countOn(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number) =>
      readGauge(registry, { name, help, read })
    gauge('rookery_limits_users', 'Users whose connections here are counted', () => this.#table.size)
    const telling = this.#telling
    if (telling === undefined) return
    gauge(
      'rookery_limits_untold_users',
      'Users whose number of connections Redis has not been told yet',
      () => telling.waiting,
    )
  }
}
