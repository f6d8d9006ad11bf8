/**
 * A host's connection to Redis: one client for commands and one subscriber (in Redis Cluster one per master),
 * for any number of workers. It reconnects for ever, with a bounded delay. This file constructs the parts and
 * reports whether Redis can be used.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster, type Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { reportClock } from '../core/clock-report.ts'
import { LogThrottle } from '../core/log-throttle.ts'
import { type RedisAddress, type RedisSettings, redisAddress } from './address.ts'
import {
  commandsClient,
  type NodeAddress,
  type RedisCommands,
  startClient,
  stopClient,
  subscriberClient,
} from './clients.ts'
import { CommandRunner } from './command-runner.ts'
import { Heartbeat } from './heartbeat.ts'
import { problemOf } from './hints.ts'
import { type RedisMetrics, redisMetrics } from './metrics.ts'
import { nodeError } from './node-error.ts'
import { type PatternEvents, PatternSubscriber } from './pattern-subscriber.ts'
import { RedisSubscriptions } from './redis-subscriptions.ts'
import { ReplicaWatch } from './replica-watch.ts'
import { retryDelayMs } from './retry.ts'
import { checkServer, mastersOf, RedisUnfit } from './server-check.ts'
import { ServerClock } from './server-clock.ts'
import type { SubscriberEvents } from './subscriber-connection.ts'
import { ClusterSubscriberPool, SingleSubscriberPool, type SubscriberPool } from './subscriber-pool.ts'
import type { Subscriptions } from './subscriptions.ts'
import { TurnBatch } from './turn-batch.ts'

export type { RedisCommands } from './clients.ts'

export interface RedisConnection {
  /**
   * No offline queue: while Redis is away every command fails at once. Use it through `run`, which translates
   * errors.
   */
  readonly commands: RedisCommands
  readonly subscriptions: Subscriptions
  readonly isCluster: boolean
  /** The clock of Redis, without its jumps. */
  readonly clock: Pick<ServerClock, 'now' | 'canJudgeAges'>
  /**
   * Resolves when Redis has been reached and checked for the first time; no time limit. Rejects with
   * `RedisUnfit` if it answers but can't be used: too old, or the user lacks permissions.
   */
  readonly ready: Promise<void>
  /**
   * Runs commands within REDIS_TIMEOUT_MS. Rejects with `unavailable` if Redis is away, does not answer in
   * time or can't serve now; the command may still have been executed. Rejects with `internal` if Redis
   * refuses the command itself; the `cause` is the error of Redis.
   */
  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T>
  /**
   * Publishes on a sharded channel, without a time limit and with the errors of ioredis. Resolves with the
   * number of connections that it reached, as far as one server knows.
   */
  spublish(channel: string, payload: string | Buffer): Promise<unknown>
  /**
   * Subscribes to patterns of classic channels, for publishers outside the cluster, on a connection of its own and
   * for as long as this one. What is published while Redis is away is lost.
   */
  subscribePatterns(patterns: readonly string[], events: PatternEvents): void
  /**
   * Calls back with the current state and at each change: `null` if commands are answered, else the reason.
   */
  onHealth(listener: (reason: string | null) => void): void
  /** Closes everything at once; commands in flight are refused. */
  close(): void
}

export interface RedisConnectionOptions {
  readonly settings: RedisSettings
  readonly logger: Logger
  readonly registry: Registry
  /** The clock of this host, Unix milliseconds: it is compared with that of Redis. */
  readonly hostNow?: () => number
}

const LOG_MS = 10_000

/**
 * Starts to connect.
 * @throws if a file named in the settings can't be read
 */
export function openRedis(options: RedisConnectionOptions): RedisConnection {
  return new OpenRedis(options)
}

class OpenRedis implements RedisConnection {
  readonly commands: RedisCommands
  readonly subscriptions: RedisSubscriptions
  readonly isCluster: boolean
  readonly clock: ServerClock
  readonly ready: Promise<void>
  readonly #address: RedisAddress
  readonly #settings: RedisSettings
  readonly #logger: Logger
  readonly #metrics: RedisMetrics
  readonly #runner: CommandRunner
  readonly #heartbeat: Heartbeat
  readonly #batch: TurnBatch
  /** Not in a Redis Cluster, whose client follows its masters. */
  readonly #replicaWatch: ReplicaWatch | undefined
  readonly #throttle = new LogThrottle(LOG_MS)
  readonly #patternSubscribers: PatternSubscriber[] = []
  #closed = false
  #up = false

  constructor({ settings, logger, registry, hostNow }: RedisConnectionOptions) {
    this.#settings = settings
    this.#address = redisAddress(settings)
    this.#logger = logger.child({ part: 'redis' })
    this.#metrics = redisMetrics(registry)
    this.isCluster = this.#address.kind === 'cluster'
    this.commands = commandsClient(this.#address, settings)
    this.#batch = new TurnBatch(this.commands)
    this.#replicaWatch = this.commands instanceof Cluster ? undefined : this.#watchRole(this.commands)
    this.clock = this.#createClock(hostNow)
    const timeoutMs = settings.redisTimeoutMs
    this.#heartbeat = new Heartbeat({
      timeoutMs,
      ask: () => this.#ask(),
      failed: (error) => this.#logger.error({ err: error }, 'a Redis health listener threw an error'),
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
    // Callers that await it get the rejection. Without a caller it must not end the process.
    this.ready.catch((error: unknown) => this.#logger.error({ err: error }, "Redis can't be used"))
  }

  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T> {
    this.#batch.hold()
    return this.#runner.run(work)
  }

  spublish(channel: string, payload: string | Buffer): Promise<unknown> {
    this.#batch.gather()
    return this.commands.spublish(channel, payload)
  }

  subscribePatterns(patterns: readonly string[], events: PatternEvents): void {
    const makeClient = () => this.#anyNodeClient()
    this.#patternSubscribers.push(new PatternSubscriber({ patterns, events, makeClient }))
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
    for (const subscriber of this.#patternSubscribers) subscriber.close()
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
    this.commands.on('node error', (error: Error, node: string) => this.#logNode(error, node))
    startClient(this.commands, (error) => this.#log(error))
  }

  #watchRole(client: Redis): ReplicaWatch {
    const reconnect = (reason: string) => {
      this.#log(new Error(reason))
      this.subscriptions.renew(reason)
      for (const subscriber of this.#patternSubscribers) subscriber.renew()
      client.disconnect(true)
    }
    return new ReplicaWatch({ client, reconnect, now: () => performance.now() })
  }

  #createClock(hostNow: (() => number) | undefined): ServerClock {
    const logger = this.#logger
    const count = () => this.#metrics.clockJumps.inc()
    return new ServerClock({
      ask: async () => {
        const answers = await Promise.allSettled(mastersOf(this.commands).map((master) => master.time()))
        // Why a master does not answer is for the heartbeat to say.
        return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      },
      hostNow,
      logger,
      onEvent: reportClock({ logger, owner: 'Redis', count }),
    })
  }

  #setConnected(up: boolean): void {
    if (this.#up === up) return
    this.#up = up
    this.#metrics.connected.set({ role: 'commands' }, up ? 1 : 0)
    if (up) this.#metrics.connects.inc({ role: 'commands' })
  }

  #makePool(events: SubscriberEvents): SubscriberPool {
    const client = (node?: NodeAddress) => subscriberClient(this.#address, this.#settings, node)
    if (this.commands instanceof Cluster) return new ClusterSubscriberPool(this.commands, client, events)
    return new SingleSubscriberPool(client(), events)
  }

  /** In a Redis Cluster of any master; `undefined` while none is known. */
  #anyNodeClient(): Redis | undefined {
    if (!(this.commands instanceof Cluster)) return subscriberClient(this.#address, this.#settings)
    const masters = this.commands.nodes('master')
    const options = masters[Math.floor(Math.random() * masters.length)]?.options
    if (options?.host === undefined || options.port === undefined) return undefined
    const { host, port, tls } = options
    return subscriberClient(this.#address, this.#settings, {
      host,
      port,
      ...(tls === undefined ? {} : { tls }),
    })
  }

  async #ask(): Promise<string | null> {
    this.clock.poll().catch((error: Error) => this.#log(error))
    if (!(this.commands instanceof Cluster)) {
      await this.commands.ping()
      return (await this.#replicaWatch?.ask()) ?? null
    }
    const info = await this.commands.cluster('INFO')
    return info.includes('cluster_state:ok') ? null : 'the Redis Cluster does not serve all of its slots'
  }

  /** In a Redis Cluster one node may be away while others serve, so each command is tried. */
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
    this.#throttle.run((heldBack) => this.#warn(error, heldBack))
  }

  #logNode(error: Error, node: string): void {
    this.#throttle.run((heldBack) => void this.#warnOfNode(error, node, heldBack))
  }

  async #warnOfNode(error: Error, node: string, heldBack: number): Promise<void> {
    const cause = await nodeError(this.commands, node)
    if (!this.#closed) this.#warn(cause ?? error, heldBack)
  }

  #warn(error: Error, heldBack: number): void {
    const line = { redis: this.#address.shown, ...problemOf(error), heldBack }
    this.#logger.warn(line, 'problem with Redis, retrying')
  }
}
