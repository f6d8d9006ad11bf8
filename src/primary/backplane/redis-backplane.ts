/**
 * The backplane through Redis: membership, sending, receiving, and the check that this host receives at all.
 * Nothing here waits for Redis. A message that can't be sent at once is dropped; other hosts notice the
 * missing number.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Listeners } from '../../core/listeners.ts'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import type { HostMessage, HostStatus } from '../../wire/host-messages.ts'
import type { Backplane, HostChange, HostInfo, HostReport } from './backplane.ts'
import { BackplaneChannels } from './channels.ts'
import { ExpectedHosts } from './expected-hosts.ts'
import { ClusterMembership } from './membership.ts'
import type { BackplaneMetrics } from './metrics.ts'
import { backplaneMetrics } from './metrics.ts'
import { BackplaneReceiver } from './receiver.ts'
import { HostRegistryEntry } from './registry-entry.ts'
import { BackplaneSender } from './sender.ts'
import type { BackplaneSettings } from './settings.ts'
import { backplaneSettings } from './settings.ts'
import { SubscriptionHealth } from './subscription-health.ts'

/** Shortest time between log lines about the same problem. */
const LOG_MS = 5_000

export interface RedisBackplaneOptions {
  /** This host. */
  host: HostInfo
  /** What each heartbeat tells the other hosts. */
  status?: (() => HostStatus) | undefined
  cluster: string
  connection: Pick<RedisConnection, 'spublish' | 'subscriptions' | 'run' | 'onHealth'>
  /** Without keys, messages are not signed and signatures are not checked. */
  keys?: SigningKeys | undefined
  logger: Logger
  registry: Registry
  settings?: Partial<BackplaneSettings>
}

export class RedisBackplane implements Backplane {
  readonly self: string
  readonly #options: RedisBackplaneOptions
  readonly #settings: BackplaneSettings
  readonly #logger: Logger
  readonly #metrics: BackplaneMetrics
  readonly #channels: BackplaneChannels
  readonly #sender: BackplaneSender
  readonly #membership: ClusterMembership
  readonly #health: SubscriptionHealth
  readonly #receiver: BackplaneReceiver
  readonly #registryEntry: HostRegistryEntry
  readonly #topics = new Map<string, number>()
  readonly #messageListeners = this.#listeners<[message: HostMessage, from: string]>()
  readonly #hostListeners = this.#listeners<[change: HostChange]>()
  readonly #gapListeners = this.#listeners<[host: string]>()
  readonly #subscriptionHealthListeners = this.#listeners<[reason: string | null]>()
  readonly #unsubscribedThrottle = new LogThrottle(LOG_MS)
  readonly #expectedHosts = new ExpectedHosts(() => this.#membership.size)
  readonly #heartbeat: NodeJS.Timeout
  #closed = false

  constructor(options: RedisBackplaneOptions) {
    const { host, cluster, connection, logger, registry, keys } = options
    this.self = host.host
    this.#options = options
    this.#settings = { ...backplaneSettings, ...options.settings }
    this.#logger = logger
    this.#channels = this.#createChannels()
    this.#metrics = backplaneMetrics(registry, {
      hosts: () => this.#membership.size,
      topics: () => this.#channels.topics,
      bytesInFlight: () => this.#channels.bytesInFlight,
      isReceiving: () => this.#health.isReceiving,
    })
    this.#sender = new BackplaneSender({
      self: this.self,
      channels: this.#channels,
      keys,
      metrics: this.#metrics,
      logger,
    })
    this.#membership = this.#createMembership()
    this.#health = this.#createHealth()
    this.#receiver = this.#createReceiver()
    this.#registryEntry = new HostRegistryEntry({
      host,
      cluster,
      connection,
      logger,
      ttlMs: this.#settings.silentMs,
    })
    this.#watchConnection()
    void this.#startHeartbeat()
    this.#heartbeat = setInterval(() => this.#tick(), this.#settings.beatMs)
  }

  get isolated(): boolean {
    return this.#health.isolated
  }

  hosts(): readonly HostInfo[] {
    return this.#membership.list()
  }

  reports(): readonly HostReport[] {
    return this.#membership.reports()
  }

  subscribe(topic: string): Promise<void> | undefined {
    const holds = this.#topics.get(topic) ?? 0
    this.#topics.set(topic, holds + 1)
    if (holds === 0) this.#channels.add(topic)
    return this.#channels.confirmed(topic)
  }

  unsubscribe(topic: string): void {
    const holds = this.#topics.get(topic) ?? 0
    if (holds > 1) this.#topics.set(topic, holds - 1)
    else if (this.#topics.delete(topic)) this.#channels.remove(topic)
  }

  publish(topics: readonly string[] | 'all', message: HostMessage): boolean {
    if (this.#closed) return false
    const volatile = message.type === 'publication' && message.volatile === true
    if (volatile && this.#channels.bytesInFlight > this.#settings.softBytesInFlight) {
      this.#metrics.dropped.inc()
      return false
    }
    return this.#sender.send(topics, message)
  }

  send(host: string, message: HostMessage): boolean {
    return !this.#closed && this.#membership.has(host) && this.#sender.send({ host }, message)
  }

  async synced(): Promise<void> {
    await this.#expectedHosts.done
    if (this.#closed) return
    this.#beat()
    await this.#health.echoOf(this.#sender.n)
  }

  onMessage(listener: (message: HostMessage, from: string) => void): void {
    this.#messageListeners.add(listener)
  }

  onHost(listener: (change: HostChange) => void): void {
    this.#hostListeners.add(listener)
  }

  onGap(listener: (host: string) => void): void {
    this.#gapListeners.add(listener)
  }

  onSubscriptionHealth(listener: (reason: string | null) => void): void {
    this.#subscriptionHealthListeners.add(listener)
    listener(this.#health.reason)
  }

  /** Resolves when the goodbye has reached Redis, or after a time limit. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#heartbeat)
    this.#sender.send('all', { type: 'bye' })
    this.#expectedHosts.end()
    this.#health.close()
    const announced = Promise.all([
      this.#channels.lastReach.catch(() => undefined),
      this.#registryEntry.remove(),
    ])
    await Promise.race([announced, delay(this.#settings.closeMs)])
    this.#channels.close()
  }

  #createChannels(): BackplaneChannels {
    const { cluster, connection } = this.#options
    return new BackplaneChannels({
      self: this.self,
      cluster,
      subscriptions: connection.subscriptions,
      spublish: (channel, payload) => connection.spublish(channel, payload),
      maxBytesInFlight: this.#settings.maxBytesInFlight,
      retryMs: this.#settings.retryMs,
      received: (bytes) => this.#receiver.receive(bytes),
      echoed: (bytes) => this.#receiver.echo(bytes),
      lost: (error) => void this.#sender.drop(error),
      failed: (error) => this.#receiver.refuse('failed', error),
      unsubscribed: (err) =>
        this.#unsubscribedThrottle.run((heldBack) =>
          this.#logger.warn(
            { err, heldBack },
            'Redis has not confirmed a subscription in time: it is tried again',
          ),
        ),
    })
  }

  #createMembership(): ClusterMembership {
    const { host } = this.#options
    return new ClusterMembership({
      host,
      settings: this.#settings,
      logger: this.#logger,
      send: (target, control) => void this.#sender.send(target, control),
      changed: (change) => this.#changed(change),
      refuse: (reason) => this.#receiver.refuse(reason),
    })
  }

  #createHealth(): SubscriptionHealth {
    return new SubscriptionHealth({
      settings: this.#settings,
      logger: this.#logger,
      away: () => this.#sender.away,
      renew: (reason) => this.#options.connection.subscriptions.renew(reason),
      others: this.#membership,
      changed: (reason) => this.#subscriptionHealthListeners.call(reason),
    })
  }

  #createReceiver(): BackplaneReceiver {
    return new BackplaneReceiver({
      self: this.self,
      keys: this.#options.keys,
      membership: this.#membership,
      lastSent: () => this.#sender.n,
      metrics: this.#metrics,
      logger: this.#logger,
      echoed: (n) => this.#echoed(n),
      gap: (host) => this.#gap(host),
      message: (message, host) => this.#messageListeners.call(message, host),
    })
  }

  #watchConnection(): void {
    const { connection } = this.#options
    connection.onHealth((reason) => {
      this.#sender.away = reason
      this.#health.noteConnection()
      // Messages were dropped while Redis was away. This heartbeat proves the connection without waiting for
      // the next tick.
      if (reason === null && !this.#closed) this.#beat()
    })
    connection.subscriptions.onRestored((channels) => {
      if (channels.some((channel) => this.#channels.owns(channel))) this.#resync()
    })
  }

  /** Everything else starts when the first heartbeat has come back. */
  async #startHeartbeat(): Promise<void> {
    await this.#channels.open
    if (!this.#closed) this.#beat()
  }

  #beat(): void {
    const status = this.#options.status?.()
    this.#sender.send('all', status === undefined ? { type: 'beat' } : { type: 'beat', status })
  }

  #tick(): void {
    this.#health.forgivePause()
    this.#beat()
    if (this.#sender.away === null) this.#registryEntry.renew()
    this.#health.check()
  }

  /** Own message `n` has come back. */
  #echoed(n: number): void {
    if (!this.#health.echo(n)) return
    this.#resync()
    void this.#expectedHosts.count(this.#channels.lastReach, this.#settings.expectedHostsMs)
  }

  /** Messages may have been missed, and hosts may have joined. */
  #resync(): void {
    this.#membership.askAll()
    for (const { host } of this.#membership.list()) this.#gap(host)
  }

  #gap(host: string): void {
    this.#metrics.gaps.inc()
    this.#gapListeners.call(host)
  }

  #changed(change: HostChange): void {
    if (change.type === 'gone') this.#metrics.gone.inc()
    this.#hostListeners.call(change)
    this.#expectedHosts.check()
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((err) =>
      this.#logger.error({ err }, 'a listener of the backplane threw an error'),
    )
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
