/**
 * The channel subscriptions of this host: handlers, and callers that wait for a confirmation. The connections
 * are in the pool. This class keeps the wanted channels, dispatches messages, and reports after a loss which
 * channels may have missed messages.
 */
import type { Logger } from 'pino'
import { DeadlineSet } from '../core/deadline-set.ts'
import { Listeners } from '../core/listeners.ts'
import { LogThrottle } from '../core/log-throttle.ts'
import { RookeryError } from '../wire/errors.ts'
import { problemOf } from './hints.ts'
import type { RedisMetrics } from './metrics.ts'
import { isReply } from './script.ts'
import type { SubscriberConnection, SubscriberEvents } from './subscriber-connection.ts'
import type { SubscriberPool } from './subscriber-pool.ts'
import type { ChannelHandler, Subscriptions } from './subscriptions.ts'

/** Limit of channels of a host. */
const CHANNELS_MAX = 500_000
const LOG_MS = 10_000
/** How often the slot owners are refreshed while there is a problem. */
const SUSPECT_MS = 1_000

interface Channel {
  readonly name: string
  /** Handlers with the number of their subscriptions. */
  readonly handlers: Map<ChannelHandler, number>
  readonly waiting: Set<Waiter>
  connection: SubscriberConnection | undefined
  confirmed: boolean
}

interface Waiter {
  readonly channel: Channel
  readonly handler: ChannelHandler
  resolve(): void
  reject(error: RookeryError): void
}

export interface SubscriptionsOptions {
  readonly timeoutMs: number
  readonly metrics: RedisMetrics
  readonly logger: Logger
  readonly makePool: (events: SubscriberEvents) => SubscriberPool
}

export class RedisSubscriptions implements Subscriptions {
  readonly #channels = new Map<string, Channel>()
  /** Channels whose subscription was lost: messages may be missed. */
  readonly #lost = new Set<string>()
  /** Channels confirmed again but not reported yet. */
  #restored: string[] = []
  readonly #pool: SubscriberPool
  readonly #metrics: RedisMetrics
  readonly #logger: Logger
  readonly #throttle = new LogThrottle(LOG_MS)
  readonly #handlerThrottle = new LogThrottle(LOG_MS)
  readonly #deadlines: DeadlineSet<Waiter>
  readonly #restoredListeners: Listeners<[readonly string[]]>
  readonly #healthListeners: Listeners<[string | null]>
  readonly #ownerCheck: NodeJS.Timeout
  #reason: string | null = 'not connected yet'
  #closed = false

  constructor({ timeoutMs, metrics, logger, makePool }: SubscriptionsOptions) {
    this.#metrics = metrics
    this.#logger = logger
    const failed = (error: unknown) => this.#handlerFailed(error)
    this.#restoredListeners = new Listeners(failed)
    this.#healthListeners = new Listeners(failed)
    this.#deadlines = new DeadlineSet({
      limitMs: timeoutMs,
      onOverdue: (waiting) => this.#overdue(waiting),
      now: () => performance.now(),
    })
    this.#pool = makePool(this.#events())
    this.#pool.onMoved(() => this.#assignConnections())
    this.#ownerCheck = setInterval(() => this.#checkOwners(), SUSPECT_MS).unref()
  }

  subscribe(name: string, handler: ChannelHandler): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable('the connection to Redis is closed'))
    const channel = this.#channels.get(name) ?? this.#addChannel(name)
    if (channel === undefined)
      return Promise.reject(unavailable('this host is subscribed to too many channels'))
    channel.handlers.set(handler, (channel.handlers.get(handler) ?? 0) + 1)
    if (channel.confirmed) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting = { channel, handler, resolve, reject }
      channel.waiting.add(waiting)
      this.#deadlines.add(waiting)
    })
  }

  unsubscribe(name: string, handler: ChannelHandler): void {
    const channel = this.#channels.get(name)
    const count = channel?.handlers.get(handler)
    if (channel === undefined || count === undefined) return
    if (count > 1) channel.handlers.set(handler, count - 1)
    else channel.handlers.delete(handler)
    const waiting = [...channel.waiting].filter((one) => one.handler === handler)
    if (waiting.length >= count)
      this.#settle(waiting.at(-1), unavailable('unsubscribed before it was confirmed'))
    if (channel.handlers.size === 0) this.#removeChannel(channel)
  }

  onRestored(listener: (channels: readonly string[]) => void): void {
    this.#restoredListeners.add(listener)
  }

  onHealth(listener: (reason: string | null) => void): void {
    this.#healthListeners.add(listener)
    listener(this.#reason)
  }

  renew(reason: string): void {
    this.#logger.warn({ reason }, 'reconnecting the subscriber connection to Redis')
    for (const connection of this.#pool.all()) connection.renew()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#ownerCheck)
    for (const waiting of this.#deadlines.clear()) {
      waiting.reject(unavailable('the connection to Redis is closed'))
    }
    this.#pool.close()
    this.#channels.clear()
    this.#count()
  }

  #events(): SubscriberEvents {
    return {
      confirmed: (names, more) => this.#confirmed(names, more),
      lost: (names) => this.#markLost(names),
      refused: (names, error) => this.#refused(names, error),
      message: (name, bytes, by) => this.#dispatch(name, bytes, by),
      connected: (up) => this.#connected(up),
      error: (error) => this.#log(error),
      moved: () => this.#pool.refreshOwners(),
      changed: () => this.#updateHealth(),
    }
  }

  #addChannel(name: string): Channel | undefined {
    if (this.#channels.size >= CHANNELS_MAX) return undefined
    const connection = this.#pool.connectionFor(name)
    const channel: Channel = { name, handlers: new Map(), waiting: new Set(), connection, confirmed: false }
    this.#channels.set(name, channel)
    connection?.add(name)
    if (connection === undefined) this.#pool.refreshOwners()
    this.#count()
    return channel
  }

  #removeChannel(channel: Channel): void {
    this.#channels.delete(channel.name)
    channel.connection?.remove(channel.name)
    if (this.#lost.delete(channel.name)) this.#updateHealth()
    this.#count()
  }

  /**
   * Assigns each channel to the connection of its current owner. A moved channel may have missed messages.
   */
  #assignConnections(): void {
    for (const channel of this.#channels.values()) {
      const connection = this.#pool.connectionFor(channel.name)
      if (connection === channel.connection || connection === undefined) continue
      channel.connection?.remove(channel.name)
      channel.connection = connection
      if (channel.confirmed) this.#markLost([channel.name])
      connection.add(channel.name)
    }
    this.#pool.closeUnused()
    this.#updateHealth()
  }

  #confirmed(names: readonly string[], more: boolean): void {
    for (const name of names) {
      const channel = this.#channels.get(name)
      if (channel === undefined) continue
      channel.confirmed = true
      for (const waiting of channel.waiting) this.#settle(waiting)
      if (this.#lost.delete(name)) this.#restored.push(name)
    }
    this.#count()
    if (!more) this.#notifyRestored()
    this.#updateHealth()
  }

  #notifyRestored(): void {
    // Without channels that were lost again meanwhile: they are reported after their next confirmation.
    const restored = this.#restored.filter((name) => this.#channels.get(name)?.confirmed === true)
    this.#restored = []
    if (restored.length === 0) return
    this.#metrics.restored.inc(restored.length)
    this.#logger.info({ channels: restored.length }, 'subscriptions restored after a loss')
    this.#restoredListeners.call(restored)
  }

  #markLost(names: readonly string[]): void {
    for (const name of names) {
      const channel = this.#channels.get(name)
      if (channel === undefined) continue
      channel.confirmed = false
      this.#lost.add(name)
    }
    this.#count()
    this.#updateHealth()
  }

  #refused(names: readonly string[], error: Error): void {
    // A moved slot is not a problem.
    if (isReply(error, 'MOVED')) return
    this.#metrics.refused.inc(names.length)
    this.#log(error)
    const [name = ''] = names
    const channel = names.length === 1 ? this.#channels.get(name) : undefined
    // Retrying does not help, so the callers get the error at once.
    if (channel === undefined || !isReply(error, 'NOPERM')) return
    const message = `Redis refuses the subscription: ${error.message}`
    const refusal = new RookeryError('unavailable', message, { cause: error })
    for (const waiting of channel.waiting) this.#withdraw(waiting, refusal)
  }

  #overdue(waiting: Waiter): void {
    const why = 'Redis has not confirmed the subscription in time'
    this.#withdraw(waiting, unavailable(this.#reason === null ? why : `${why}: ${this.#reason}`))
  }

  #withdraw(waiting: Waiter, error: RookeryError): void {
    this.#settle(waiting, error)
    this.unsubscribe(waiting.channel.name, waiting.handler)
  }

  #settle(waiting: Waiter | undefined, error?: RookeryError): void {
    if (waiting === undefined) return
    waiting.channel.waiting.delete(waiting)
    this.#deadlines.delete(waiting)
    if (error === undefined) waiting.resolve()
    else waiting.reject(error)
  }

  #dispatch(name: string, bytes: Buffer, by: SubscriberConnection): void {
    this.#metrics.messages.inc()
    this.#metrics.messageBytes.inc(bytes.byteLength)
    const channel = this.#channels.get(name)
    // While a slot moves, two nodes may deliver the same message.
    if (channel?.connection !== by) {
      this.#metrics.unexpected.inc()
      return
    }
    for (const handler of channel.handlers.keys()) {
      try {
        handler(bytes, name)
      } catch (error) {
        this.#handlerFailed(error)
      }
    }
  }

  #connected(up: boolean): void {
    this.#metrics.connected.inc({ role: 'subscriber' }, up ? 1 : -1)
    if (up) this.#metrics.connects.inc({ role: 'subscriber' })
    else this.#pool.refreshOwners()
  }

  /**
   * A dead master is replaced some time later: refreshes the slot owners until all channels are confirmed
   * again.
   */
  #checkOwners(): void {
    if (this.#reason !== null) this.#pool.refreshOwners()
  }

  #updateHealth(): void {
    const reason = this.#closed ? 'the connection to Redis is closed' : this.#findProblem()
    if (reason === this.#reason) return
    this.#reason = reason
    this.#healthListeners.call(reason)
  }

  #findProblem(): string | null {
    for (const connection of this.#pool.all()) if (connection.reason !== null) return connection.reason
    if (this.#lost.size > 0) return 'not all channels are restored yet'
    return null
  }

  #count(): void {
    this.#metrics.subscriptions.set(this.#channels.size)
    this.#metrics.lost.set(this.#lost.size)
  }

  #log(error: Error): void {
    this.#throttle.run((heldBack) =>
      this.#logger.warn({ ...problemOf(error), heldBack }, 'problem with the Redis subscriptions, retrying'),
    )
  }

  #handlerFailed(error: unknown): void {
    this.#metrics.handlerErrors.inc()
    this.#handlerThrottle.run((heldBack) =>
      this.#logger.error({ err: error, heldBack }, 'a Redis message handler threw an error'),
    )
  }
}

const unavailable = (message: string) => new RookeryError('unavailable', message)
