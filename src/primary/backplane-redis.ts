/**
 * The backplane through Redis: who is there, what this host says and hears, and whether it hears at all. Nothing here
 * waits for Redis: what can't leave at once is dropped, and the others know it by a number that is left out.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Listeners } from '../core/listeners.ts'
import { LogGate } from '../core/log-gate.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { SigningKeys } from '../redis/signing.ts'
import type { HostMessage } from '../wire/host-messages.ts'
import type { Backplane, HostChange, HostInfo } from './backplane.ts'
import { HostChannels } from './backplane-channels.ts'
import { HostCircle } from './backplane-circle.ts'
import { HostEntry } from './backplane-entry.ts'
import type { Opened } from './backplane-envelope.ts'
import { open } from './backplane-envelope.ts'
import { HostHearing } from './backplane-hearing.ts'
import type { BackplaneMetrics } from './backplane-metrics.ts'
import { backplaneMetrics } from './backplane-metrics.ts'
import { HostSender } from './backplane-sender.ts'
import type { BackplaneSettings } from './backplane-settings.ts'
import { backplaneSettings } from './backplane-settings.ts'

/** Lines about the same trouble are that far apart. */
const LOG_MS = 5_000

export interface RedisBackplaneOptions {
  /** This host: its tag, its name, and where it takes connections from others. */
  host: HostInfo
  cluster: string
  connection: Pick<RedisConnection, 'commands' | 'subscriptions' | 'run' | 'onHealth'>
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
  readonly #hearing: HostHearing
  readonly #entry: HostEntry
  readonly #topics = new Map<string, number>()
  readonly #messages = this.#listeners<[message: HostMessage, from: string]>()
  readonly #changes = this.#listeners<[change: HostChange]>()
  readonly #gaps = this.#listeners<[host: string]>()
  readonly #hearings = this.#listeners<[reason: string | null]>()
  readonly #refusals = new LogGate(LOG_MS)
  readonly #unsubscribed = new LogGate(LOG_MS)
  readonly #census: Promise<void>
  readonly #beat: NodeJS.Timeout
  #counted: () => void = () => undefined
  #expected = Number.POSITIVE_INFINITY
  #tickAtMs = performance.now()
  #deafness: string | null = 'nothing has been heard yet'
  #troubledSinceMs: number | undefined = performance.now()
  #closed = false

  constructor(options: RedisBackplaneOptions) {
    const { host, cluster, connection, logger, registry, keys } = options
    this.self = host.host
    this.#options = options
    this.#settings = { ...backplaneSettings, ...options.settings }
    this.#logger = logger
    this.#hearing = new HostHearing(this.#settings.deafMs, performance.now())
    this.#channels = this.#openChannels()
    this.#metrics = backplaneMetrics(registry, {
      hosts: () => this.#circle.size,
      topics: () => this.#channels.topics,
      bytesInFlight: () => this.#channels.bytesInFlight,
      hears: () => this.#hearing.hears,
    })
    this.#sender = new HostSender({
      self: this.self,
      channels: this.#channels,
      keys,
      metrics: this.#metrics,
      logger,
    })
    this.#circle = new HostCircle({
      host,
      settings: this.#settings,
      logger,
      say: (target, talk) => void this.#sender.say(target, talk),
      changed: (change) => this.#changed(change),
      refuse: (reason) => this.#refuse(reason),
    })
    this.#entry = new HostEntry({ host, cluster, connection, logger, ttlMs: this.#settings.silentMs })
    this.#census = new Promise((resolve) => {
      this.#counted = resolve
    })
    this.#watchConnection()
    void this.#beginToHear()
    this.#beat = setInterval(() => this.#tick(), this.#settings.beatMs)
  }

  get isolated(): boolean {
    const since = this.#troubledSinceMs
    return since !== undefined && performance.now() - since >= this.#settings.isolatedMs
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
    await this.#census
    if (this.#closed) return
    this.#sender.say('all', { type: 'beat' })
    await this.#hearing.echoOf(this.#sender.n)
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
    listener(this.#deafness)
  }

  /** Resolves when the others have been told, or could not be within a bounded time. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#beat)
    this.#sender.say('all', { type: 'bye' })
    this.#counted()
    this.#hearing.close()
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
      spublish: (channel, payload) => connection.commands.spublish(channel, payload),
      maxBytesInFlight: this.#settings.maxBytesInFlight,
      retryMs: this.#settings.retryMs,
      heard: (envelope) => this.#hear(envelope),
      echoed: (envelope) => this.#echo(envelope),
      lost: (error) => void this.#sender.drop(error),
      fault: (reason, error) => this.#refuse(reason, error),
      unsubscribed: (err) =>
        this.#unsubscribed.pass((heldBack) =>
          this.#logger.warn(
            { err, heldBack },
            'Redis has not confirmed a subscription in time: it is tried again',
          ),
        ),
    })
  }

  #watchConnection(): void {
    const { connection } = this.#options
    connection.onHealth((reason) => {
      this.#sender.away = reason
      this.#noteTrouble()
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
    const nowMs = performance.now()
    if (nowMs - this.#tickAtMs > 2 * this.#settings.beatMs) {
      // This process has stood still: what it has not heard is not the others' fault.
      this.#circle.restart()
      this.#hearing.excuse(nowMs)
    }
    this.#tickAtMs = nowMs
    this.#sender.say('all', { type: 'beat' })
    if (this.#sender.away === null) this.#entry.renew()
    if (this.#hearing.check(nowMs)) this.#deaf()
    if (this.#hearing.hears) this.#circle.dropSilent(nowMs - this.#settings.silentMs)
    else this.#tickDeaf(nowMs - this.#hearing.silentSinceMs)
  }

  #tickDeaf(deafForMs: number): void {
    if (this.#sender.away === null && deafForMs > this.#settings.deafMs)
      this.#options.connection.subscriptions.renew('what this host publishes does not come back')
    if (deafForMs > this.#settings.lostMs) this.#circle.dropAll('out of reach')
  }

  #deaf(): void {
    const reason = this.#sender.away ?? 'what this host publishes does not come back'
    this.#logger.error({ reason }, 'this host does not hear the others')
    this.#setDeafness(reason)
  }

  #setDeafness(reason: string | null): void {
    this.#deafness = reason
    this.#noteTrouble()
    this.#hearings.call(reason)
  }

  #noteTrouble(): void {
    if (this.#sender.away === null && this.#deafness === null) this.#troubledSinceMs = undefined
    else this.#troubledSinceMs ??= performance.now()
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

  /** How many hosts are there, as far as one server can tell: so many answers are waited for. */
  async #count(): Promise<void> {
    const timer = setTimeout(() => this.#counted(), this.#settings.censusMs)
    const reach = await this.#channels.lastReach.catch(() => undefined)
    // This host is one of them.
    if (typeof reach === 'number') this.#expected = reach - 1
    this.#checkCount()
    await this.#census
    clearTimeout(timer)
  }

  #checkCount(): void {
    if (this.#circle.size >= this.#expected) this.#counted()
  }

  #changed(change: HostChange): void {
    if (change.type === 'gone') this.#metrics.gone.inc()
    this.#changes.call(change)
    this.#checkCount()
  }

  #echo(envelope: unknown): void {
    const opened = open(envelope, this.#options.keys)
    if (typeof opened === 'string') return this.#refuse(opened)
    if (opened.n > this.#sender.n || !this.#hearing.echo(opened.n, performance.now())) return undefined
    this.#logger.info('this host hears the others')
    this.#circle.restart()
    this.#setDeafness(null)
    this.#askAnew()
    void this.#count()
    return undefined
  }

  #hear(envelope: unknown): void {
    const opened = open(envelope, this.#options.keys)
    if (typeof opened === 'string') return this.#refuse(opened)
    const { host, to } = opened
    if (host === this.self) return this.#refuse('self')
    if (to !== 'all' && to !== 'topic' && to !== this.self) return this.#refuse('misdirected')
    return this.#take(opened)
  }

  #take(opened: Opened): void {
    const { host, said } = opened
    const verdict = this.#circle.hear(opened)
    if (verdict === 'replayed') return this.#refuse('replayed')
    if (verdict === 'unknown') return this.#circle.meet(opened)
    if (verdict === 'gap') this.#gap(host)
    this.#metrics.received.inc()
    if (said.kind === 'talk') return this.#circle.answer(host, said.talk)
    return this.#messages.call(said.message, host)
  }

  #refuse(reason: string, error?: unknown): void {
    this.#metrics.refused.inc({ reason })
    this.#refusals.pass((heldBack) =>
      this.#logger.warn({ reason, err: error, heldBack }, 'something that came from Redis was not taken'),
    )
  }

  #listeners<A extends unknown[]>(): Listeners<A> {
    return new Listeners<A>((err) => this.#logger.error({ err }, 'a listener of the backplane has thrown'))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
