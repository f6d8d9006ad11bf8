/**
 * The backplane through Redis: who is there, what this host says and hears, and whether it hears at all. Nothing here
 * waits for Redis: what can't leave at once is dropped, and the others know it by a number that is left out.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Listeners } from '../../core/listeners.ts'
import { LogGate } from '../../core/log-gate.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import type { SigningKeys } from '../../redis/signing.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import type { Backplane, HostChange, HostInfo } from './backplane.ts'
import { HostChannels } from './channels.ts'
import { HostCensus } from './expected-hosts.ts'
import { HostCircle } from './membership.ts'
import type { BackplaneMetrics } from './metrics.ts'
import { backplaneMetrics } from './metrics.ts'
import { HostIntake } from './receiver.ts'
import { HostEntry } from './registry-entry.ts'
import { HostSender } from './sender.ts'
import type { BackplaneSettings } from './settings.ts'
import { backplaneSettings } from './settings.ts'
import { HostDeafness } from './subscription-health.ts'

/** Lines about the same trouble are that far apart. */
const LOG_MS = 5_000

export interface RedisBackplaneOptions {
  /** This host: its tag, its name, and where it takes connections from others. */
  host: HostInfo
  cluster: string
  connection: Pick<RedisConnection, 'spublish' | 'subscriptions' | 'run' | 'onHealth'>
  /** None: messages are not signed, and signatures are not looked at. */
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
  readonly #channels: HostChannels
  readonly #sender: HostSender
  readonly #circle: HostCircle
  readonly #deafness: HostDeafness
  readonly #intake: HostIntake
  readonly #entry: HostEntry
  readonly #topics = new Map<string, number>()
  readonly #messages = this.#listeners<[message: HostMessage, from: string]>()
  readonly #changes = this.#listeners<[change: HostChange]>()
  readonly #gaps = this.#listeners<[host: string]>()
  readonly #hearings = this.#listeners<[reason: string | null]>()
  readonly #unsubscribed = new LogGate(LOG_MS)
  readonly #census = new HostCensus(() => this.#circle.size)
  readonly #beat: NodeJS.Timeout
  #closed = false

  constructor(options: RedisBackplaneOptions) {
    const { host, cluster, connection, logger, registry, keys } = options
    this.self = host.host
    this.#options = options
    this.#settings = { ...backplaneSettings, ...options.settings }
    this.#logger = logger
    this.#channels = this.#openChannels()
    this.#metrics = backplaneMetrics(registry, {
      hosts: () => this.#circle.size,
      topics: () => this.#channels.topics,
      bytesInFlight: () => this.#channels.bytesInFlight,
      hears: () => this.#deafness.hears,
    })
    this.#sender = new HostSender({
      self: this.self,
      channels: this.#channels,
      keys,
      metrics: this.#metrics,
      logger,
    })
    this.#circle = this.#openCircle()
    this.#deafness = this.#openDeafness()
    this.#intake = this.#openIntake()
    this.#entry = new HostEntry({ host, cluster, connection, logger, ttlMs: this.#settings.silentMs })
    this.#watchConnection()
    void this.#beginToHear()
    this.#beat = setInterval(() => this.#tick(), this.#settings.beatMs)
  }

  get isolated(): boolean {
    return this.#deafness.isolated
  }

  hosts(): readonly HostInfo[] {
    return this.#circle.list()
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
    return this.#sender.say(topics, message)
  }

  send(host: string, message: HostMessage): boolean {
    return !this.#closed && this.#circle.has(host) && this.#sender.say({ host }, message)
  }

  async settled(): Promise<void> {
    await this.#census.done
    if (this.#closed) return
    this.#sender.say('all', { type: 'beat' })
    await this.#deafness.echoOf(this.#sender.n)
  }

  onMessage(listener: (message: HostMessage, from: string) => void): void {
    this.#messages.add(listener)
  }

  onHost(listener: (change: HostChange) => void): void {
    this.#changes.add(listener)
  }

  onGap(listener: (host: string) => void): void {
    this.#gaps.add(listener)
  }

  onHearing(listener: (reason: string | null) => void): void {
    this.#hearings.add(listener)
    listener(this.#deafness.reason)
  }

  /** Resolves when the others have been told, or could not be within a bounded time. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beat)
    this.#sender.say('all', { type: 'bye' })
    this.#census.end()
    this.#deafness.close()
    const told = Promise.all([this.#channels.lastReach.catch(() => undefined), this.#entry.remove()])
    await Promise.race([told, pause(this.#settings.closeMs)])
    this.#channels.close()
  }

  #openChannels(): HostChannels {
    const { cluster, connection } = this.#options
    return new HostChannels({
      self: this.self,
      cluster,
      subscriptions: connection.subscriptions,
      spublish: (channel, payload) => connection.spublish(channel, payload),
      maxBytesInFlight: this.#settings.maxBytesInFlight,
      retryMs: this.#settings.retryMs,
      heard: (bytes) => this.#intake.hear(bytes),
      echoed: (bytes) => this.#intake.echo(bytes),
      lost: (error) => void this.#sender.drop(error),
      failed: (error) => this.#intake.refuse('failed', error),
      unsubscribed: (err) =>
        this.#unsubscribed.pass((heldBack) =>
          this.#logger.warn(
            { err, heldBack },
            'Redis has not confirmed a subscription in time: it is tried again',
          ),
        ),
    })
  }

  #openCircle(): HostCircle {
    const { host } = this.#options
    return new HostCircle({
      host,
      settings: this.#settings,
      logger: this.#logger,
      say: (target, talk) => void this.#sender.say(target, talk),
      changed: (change) => this.#changed(change),
      refuse: (reason) => this.#intake.refuse(reason),
    })
  }

  #openDeafness(): HostDeafness {
    return new HostDeafness({
      settings: this.#settings,
      logger: this.#logger,
      away: () => this.#sender.away,
      renew: (reason) => this.#options.connection.subscriptions.renew(reason),
      others: this.#circle,
      changed: (reason) => this.#hearings.call(reason),
    })
  }

  #openIntake(): HostIntake {
    return new HostIntake({
      self: this.self,
      keys: this.#options.keys,
      circle: this.#circle,
      said: () => this.#sender.n,
      metrics: this.#metrics,
      logger: this.#logger,
      echoed: (n) => this.#echoed(n),
      gap: (host) => this.#gap(host),
      message: (message, host) => this.#messages.call(message, host),
    })
  }

  #watchConnection(): void {
    const { connection } = this.#options
    connection.onHealth((reason) => {
      this.#sender.away = reason
      this.#deafness.noteTrouble()
      // What has been said meanwhile has been dropped: by this one it hears itself, and the others it, without waiting for the next.
      if (reason === null && !this.#closed) this.#sender.say('all', { type: 'beat' })
    })
    connection.subscriptions.onRestored((channels) => {
      if (channels.some((channel) => this.#channels.owns(channel))) this.#askAnew()
    })
  }

  /** The rest follows when the first beat has come back. */
  async #beginToHear(): Promise<void> {
    await this.#channels.open
    if (!this.#closed) this.#sender.say('all', { type: 'beat' })
  }

  #tick(): void {
    this.#deafness.excuseStandstill()
    this.#sender.say('all', { type: 'beat' })
    if (this.#sender.away === null) this.#entry.renew()
    this.#deafness.check()
  }

  /** This host's own message has come back. */
  #echoed(n: number): void {
    if (!this.#deafness.echo(n)) return
    this.#askAnew()
    void this.#census.count(this.#channels.lastReach, this.#settings.censusMs)
  }

  /** What has been said meanwhile may have been missed, and hosts may have come. */
  #askAnew(): void {
    this.#circle.askAll()
    for (const { host } of this.#circle.list()) this.#gap(host)
  }

  #gap(host: string): void {
    this.#metrics.gaps.inc()
    this.#gaps.call(host)
  }

  #changed(change: HostChange): void {
    if (change.type === 'gone') this.#metrics.gone.inc()
    this.#changes.call(change)
    this.#census.check()
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((err) => this.#logger.error({ err }, 'a listener of the backplane has thrown'))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
