/**
 * A host's way to Redis: one connection for commands and one that hears (in Redis Cluster one to each master that is needed),
 * whatever the number of workers. It is never given up: whatever becomes of it, it is tried again, with a bounded pause. This
 * file puts the parts together, tells them of each other, and says when Redis can be used and why not.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LogThrottle } from '../core/log-throttle.ts'
import { type RedisAddress, type RedisSettings, redisAddress } from './address.ts'
import { commandsClient, type RedisCommands, startClient, stopClient, subscriberClient } from './clients.ts'
import { CommandRunner } from './command-runner.ts'
import { Heartbeat } from './heartbeat.ts'
import { type RedisMetrics, redisMetrics } from './metrics.ts'
import { RedisSubscriptions } from './redis-subscriptions.ts'
import { retryDelayMs } from './retry.ts'
import { checkServer, RedisUnfit } from './server-check.ts'
import type { SubscriberEvents } from './subscriber-connection.ts'
import { ClusterSubscriberPool, SingleSubscriberPool, type SubscriberPool } from './subscriber-pool.ts'
import type { Subscriptions } from './subscriptions.ts'
import { TurnBatch } from './turn-batch.ts'

export type { RedisCommands } from './clients.ts'

export interface RedisConnection {
  /**
   * No offline queue: while Redis is away every command fails at once. Use it through `run`, which alone turns what comes of
   * it into errors for a caller.
   */
  readonly commands: RedisCommands
  readonly subscriptions: Subscriptions
  readonly isCluster: boolean
  /**
   * Resolves when Redis has been reached and checked for the first time; waits as long as that takes. Rejects with
   * `RedisUnfit` when it answers and can't be used: too old, or the user lacks permissions.
   */
  readonly ready: Promise<void>
  /**
   * Runs commands within REDIS_TIMEOUT_MS.
   * Rejects with `unavailable` when Redis is away, does not answer in time or can't serve just now: what was asked may have
   * been done all the same. With `internal` when Redis refuses the command itself; its `cause` is Redis' error.
   */
  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T>
  /**
   * Publishes on a sharded channel, for who waits for nothing: no bound in time, and errors as ioredis has them. Resolves
   * with the number of connections that it went to, as far as one server can tell.
   */
  spublish(channel: string, payload: string | Buffer): Promise<unknown>
  /** `null`: commands are answered. Else why not. Told how it stands now, and at each change. */
  onHealth(listener: (reason: string | null) => void): void
  /** Ends everything at once: what is under way is refused. */
  close(): void
}

export interface RedisConnectionOptions {
  readonly settings: RedisSettings
  readonly logger: Logger
  readonly registry: Registry
}

const LOG_MS = 10_000

/**
 * Begins to connect.
 * @throws when a file that the settings name can't be read
 */
export function openRedis(options: RedisConnectionOptions): RedisConnection {
  return new OpenRedis(options)
}

class OpenRedis implements RedisConnection {
  readonly commands: RedisCommands
  readonly subscriptions: RedisSubscriptions
  readonly isCluster: boolean
  readonly ready: Promise<void>
  readonly #address: RedisAddress
  readonly #settings: RedisSettings
  readonly #logger: Logger
  readonly #metrics: RedisMetrics
  readonly #runner: CommandRunner
  readonly #heartbeat: Heartbeat
  readonly #batch: TurnBatch
  readonly #throttle = new LogThrottle(LOG_MS)
  #closed = false
  #up = false

  constructor({ settings, logger, registry }: RedisConnectionOptions) {
    this.#settings = settings
    this.#address = redisAddress(settings)
    this.#logger = logger.child({ part: 'redis' })
    this.#metrics = redisMetrics(registry)
    this.isCluster = this.#address.kind === 'cluster'
    this.commands = commandsClient(this.#address, settings)
    this.#batch = new TurnBatch(this.commands)
    const timeoutMs = settings.redisTimeoutMs
    this.#heartbeat = new Heartbeat({
      timeoutMs,
      ask: () => this.#ask(),
      failed: (error) => this.#logger.error({ err: error }, 'a listener to the health of Redis has failed'),
    })
    this.#runner = new CommandRunner({
      commands: this.commands,
      timeoutMs,
      metrics: this.#metrics,
      refusal: () => this.#refusal(),
    })
    this.subscriptions = new RedisSubscriptions({
      timeoutMs,
      metrics: this.#metrics,
      logger: this.#logger,
      makePool: (events) => this.#makePool(events),
    })
    this.#listen()
    this.ready = this.#firstUse()
    // Whoever awaits it gets its rejection; without anybody it must not end the process.
    this.ready.catch((error: unknown) => this.#logger.error({ err: error }, 'Redis can not be used'))
  }

  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T> {
    this.#batch.hold()
    return this.#runner.run(work)
  }

  spublish(channel: string, payload: string | Buffer): Promise<unknown> {
    this.#batch.gather()
    return this.commands.spublish(channel, payload)
  }

  onHealth(listener: (reason: string | null) => void): void {
    this.#heartbeat.onChange(listener)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#heartbeat.close()
    this.#runner.close()
    this.subscriptions.close()
    this.#batch.release()
    stopClient(this.commands)
  }

  #listen(): void {
    this.commands.on('ready', () => {
      this.#setConnected(true)
      this.#heartbeat.connected()
    })
    this.commands.on('close', () => {
      this.#setConnected(false)
      if (!this.#closed) this.#heartbeat.lost(`Redis at ${this.#address.shown} is away`)
    })
    this.commands.on('error', (error: Error) => this.#log(error))
    this.commands.on('node error', (error: Error) => this.#log(error))
    startClient(this.commands, (error) => this.#log(error))
  }

  #setConnected(up: boolean): void {
    if (this.#up === up) return
    this.#up = up
    this.#metrics.connected.set({ role: 'commands' }, up ? 1 : 0)
    if (up) this.#metrics.connects.inc({ role: 'commands' })
  }

  #makePool(events: SubscriberEvents): SubscriberPool {
    const client = (node?: { host: string; port: number }) =>
      subscriberClient(this.#address, this.#settings, node)
    if (this.commands instanceof Cluster) return new ClusterSubscriberPool(this.commands, client, events)
    return new SingleSubscriberPool(client(), events)
  }

  async #ask(): Promise<string | null> {
    if (!(this.commands instanceof Cluster)) {
      await this.commands.ping()
      return null
    }
    const info = await this.commands.cluster('INFO')
    return info.includes('cluster_state:ok') ? null : 'the Redis Cluster does not serve all of its slots'
  }

  /** In a Redis Cluster one node may be away while others serve: there each command finds out by itself. */
  #refusal(): string | null {
    if (this.#closed) return 'the connection to Redis is closed'
    return this.isCluster && this.commands.status === 'ready' ? null : this.#heartbeat.reason
  }

  async #firstUse(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      if (failures > 0) await delay(retryDelayMs(failures, Math.random()), undefined, { ref: false })
      await this.#heartbeat.healthy()
      try {
        await checkServer(this, this.#settings, this.#logger)
        return
      } catch (error) {
        if (error instanceof RedisUnfit) throw error
        this.#log(error as Error)
      }
    }
  }

  #log(error: Error): void {
    this.#throttle.run((heldBack) => {
      const line = { redis: this.#address.shown, reason: error.message, heldBack }
      this.#logger.warn(line, 'trouble with Redis, trying on')
    })
  }
}
