/**
 * The channels between hosts, by way of `createShardedAdapter` of `@socket.io/redis-adapter`: this host is the adapter's
 * one socket, topics are its rooms, and it subscribes to just those that have a socket. What travels on them is bytes that
 * `envelope.ts` has made: the adapter is not handed what comes in, since it would obey messages that make sockets
 * join, leave, answer and disconnect, and nobody may say such things here.
 */
import { createShardedAdapter } from '@socket.io/redis-adapter'
import { backplanePrefix } from '../../redis/names.ts'
import type { Subscriptions } from '../../redis/subscriptions.ts'
import { startOf } from './envelope.ts'
import { BackplanePublisher } from './publisher.ts'
import { BackplaneSubscriber } from './subscriber.ts'

/** Of the adapter; Socket.IO's own namespaces never come here. */
const NAMESPACE = '/'

export interface ChannelsOptions {
  self: string
  cluster: string
  subscriptions: Pick<Subscriptions, 'subscribe' | 'unsubscribe'>
  spublish(channel: string, payload: Buffer): Promise<unknown>
  maxBytesInFlight: number
  retryMs: number
  /** Not checked yet. From whom it is nobody knows. */
  received(bytes: Buffer): void
  /** What this host itself has said to all has come back, or looks like it. Not checked yet. */
  echoed(bytes: Buffer): void
  /** A publication that had been taken has failed. */
  lost(error: unknown): void
  /** What came in could not be dealt with. */
  failed(error: unknown): void
  /** A subscription could not be made in time, and is tried again. */
  unsubscribed(error: unknown): void
}

type ShardedAdapter = ReturnType<ReturnType<typeof createShardedAdapter>>

export class BackplaneChannels {
  readonly #options: ChannelsOptions
  readonly #publisher: BackplanePublisher
  readonly #subscriber: BackplaneSubscriber
  readonly #adapter: ShardedAdapter
  /** The channel of all hosts; that of a topic begins with it. */
  readonly #base: string
  readonly #ownStart: Buffer

  constructor(options: ChannelsOptions) {
    this.#options = options
    this.#ownStart = startOf(options.self)
    this.#publisher = new BackplanePublisher({
      spublish: (channel, payload) => options.spublish(channel, payload),
      maxBytesInFlight: options.maxBytesInFlight,
      lost: (error) => options.lost(error),
    })
    this.#subscriber = new BackplaneSubscriber({
      subscriptions: options.subscriptions,
      retryMs: options.retryMs,
      receive: (channel, bytes) => this.#receive(channel, bytes),
      failed: (error) => options.unsubscribed(error),
    })
    const channelPrefix = backplanePrefix(options.cluster)
    this.#base = `${channelPrefix}#${NAMESPACE}#`
    const adapterOf = createShardedAdapter(this.#publisher, this.#subscriber, {
      channelPrefix,
      subscriptionMode: 'dynamic-private',
    })
    this.#adapter = adapterOf({
      name: NAMESPACE,
      server: { encoder: undefined, opts: {} },
      sockets: new Map(),
    })
    void this.#adapter.addAll(options.self, new Set([options.self]))
  }

  get topics(): number {
    return this.#adapter.rooms.size
  }

  get bytesInFlight(): number {
    return this.#publisher.bytesInFlight
  }

  get keepsUp(): boolean {
    return this.#publisher.keepsUp
  }

  /** Of the last publication: how many hosts it went to, as far as one server can tell. */
  get lastReach(): Promise<unknown> {
    return this.#publisher.lastReach
  }

  /** Whether it is one of these channels. */
  owns(channel: string): boolean {
    return this.#subscriber.has(channel)
  }

  add(topic: string): void {
    void this.#adapter.addAll(this.#options.self, new Set([topic]))
  }

  remove(topic: string): void {
    void this.#adapter.del(this.#options.self, topic)
  }

  /** `undefined`: there is nothing to wait for. */
  confirmed(topic: string): Promise<void> | undefined {
    return this.#subscriber.confirmed(this.#channelOf(topic))
  }

  /** As `confirmed`, for what goes to all hosts and to this one alone. */
  get open(): Promise<void> | undefined {
    const base = this.#subscriber.confirmed(this.#base)
    const own = this.confirmed(this.#options.self)
    return base === undefined && own === undefined
      ? undefined
      : Promise.all([base, own]).then(() => undefined)
  }

  /** To one topic by its own channel, else by that of all hosts. Throws when too much is on its way. */
  publish(rooms: readonly string[], bytes: Buffer): void {
    const [only] = rooms
    const channel = rooms.length === 1 && only !== undefined ? this.#channelOf(only) : this.#base
    this.#publisher.spublish(channel, bytes)
  }

  close(): void {
    this.#subscriber.close()
  }

  /** As the adapter names it. */
  #channelOf(topic: string): string {
    return `${this.#base}${topic}#`
  }

  /**
   * What this host has said itself comes back on every channel that it hears. It is looked at only on that of all hosts, which
   * says as much: every other of them would be a message taken apart for nothing.
   */
  #receive(channel: string, bytes: Buffer): void {
    try {
      if (!this.#isOwn(bytes)) this.#options.received(bytes)
      else if (channel === this.#base) this.#options.echoed(bytes)
    } catch (error) {
      this.#options.failed(error)
    }
  }

  #isOwn(bytes: Buffer): boolean {
    const start = this.#ownStart
    return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
  }
}
