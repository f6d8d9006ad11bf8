/**
 * The channels between hosts, built on `createShardedAdapter` of `@socket.io/redis-adapter`. This host is the
 * only socket of the adapter and topics are its rooms, so the adapter subscribes to exactly the topics that
 * this host wants. The payload is made by `envelope.ts`. Incoming messages never reach the adapter: it would
 * obey commands that make sockets join, leave, answer or disconnect, and no host may send such commands.
 */
import { createShardedAdapter } from '@socket.io/redis-adapter'
import { backplanePrefix } from '../../redis/names.ts'
import type { Subscriptions } from '../../redis/subscriptions.ts'
import { startOf } from './envelope.ts'
import { BackplanePublisher } from './publisher.ts'
import { BackplaneSubscriber } from './subscriber.ts'

/** Namespace of the adapter. Socket.IO's own namespaces are not used here. */
const NAMESPACE = '/'

export interface ChannelsOptions {
  self: string
  cluster: string
  subscriptions: Pick<Subscriptions, 'subscribe' | 'unsubscribe'>
  spublish(channel: string, payload: Buffer): Promise<unknown>
  maxBytesInFlight: number
  retryMs: number
  /** A message arrived. Neither its content nor its sender has been checked. */
  received(bytes: Buffer): void
  /** A message arrived that looks like one of this host's own messages to all. Not checked yet. */
  echoed(bytes: Buffer): void
  /** A publication was accepted and then failed. */
  lost(error: unknown): void
  /** An incoming message could not be handled. */
  failed(error: unknown): void
  /** A subscription was not confirmed in time. It is retried. */
  unsubscribed(error: unknown): void
}

type ShardedAdapter = ReturnType<ReturnType<typeof createShardedAdapter>>

export class BackplaneChannels {
  readonly #options: ChannelsOptions
  readonly #publisher: BackplanePublisher
  readonly #subscriber: BackplaneSubscriber
  readonly #adapter: ShardedAdapter
  /** Channel of all hosts, and prefix of every topic's channel. */
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

  /** How many hosts the last publication reached, as far as one Redis server knows. */
  get lastReach(): Promise<unknown> {
    return this.#publisher.lastReach
  }

  /** Whether `channel` belongs to the backplane. */
  owns(channel: string): boolean {
    return this.#subscriber.has(channel)
  }

  add(topic: string): void {
    void this.#adapter.addAll(this.#options.self, new Set([topic]))
  }

  remove(topic: string): void {
    void this.#adapter.del(this.#options.self, topic)
  }

  /** Resolves when Redis has confirmed the topic; `undefined` if there is nothing to wait for. */
  confirmed(topic: string): Promise<void> | undefined {
    return this.#subscriber.confirmed(this.#channelOf(topic))
  }

  /** Like `confirmed`, for the channel of all hosts and the channel of this host. */
  get open(): Promise<void> | undefined {
    const base = this.#subscriber.confirmed(this.#base)
    const own = this.confirmed(this.#options.self)
    return base === undefined && own === undefined
      ? undefined
      : Promise.all([base, own]).then(() => undefined)
  }

  /**
   * Uses the channel of a single topic, else the channel of all hosts. Throws if too many bytes are in
   * flight.
   */
  publish(rooms: readonly string[], bytes: Buffer): void {
    const [only] = rooms
    const channel = rooms.length === 1 && only !== undefined ? this.#channelOf(only) : this.#base
    this.#publisher.spublish(channel, bytes)
  }

  close(): void {
    this.#subscriber.close()
  }

  /** Same name as in the adapter. */
  #channelOf(topic: string): string {
    return `${this.#base}${topic}#`
  }

  /**
   * This host's own messages come back on every subscribed channel. They are parsed only on the channel of
   * all hosts: that is enough for the loopback probe.
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
