/**
 * The channels between hosts, by way of `createShardedAdapter` of `@socket.io/redis-adapter`: this host is the adapter's
 * one socket, topics are its rooms. Whatever comes in is looked at before the adapter acts on it: the adapter knows messages
 * that make sockets join, leave, answer and disconnect, and nobody may say such things here.
 */
import { createShardedAdapter } from '@socket.io/redis-adapter'
import { MessageType } from 'socket.io-adapter'
import { z } from 'zod'
import { isWholeMsgpack } from '../core/msgpack-check.ts'
import { backplanePrefix } from '../redis/names.ts'
import type { Subscriptions } from '../redis/subscriptions.ts'
import type { HostEnvelope } from '../wire/host-messages.ts'
import { HostPublisher } from './backplane-publisher.ts'
import { HostSubscriber } from './backplane-subscriber.ts'

/** Of the adapter; Socket.IO's own namespaces never come here. */
const NAMESPACE = '/'
/** Socket.IO's type of an event. */
const EVENT = 2
const OPENING_BRACE = 0x7b

const adapterMessage = z.object({
  uid: z.string(),
  nsp: z.literal(NAMESPACE),
  type: z.literal(MessageType.BROADCAST),
  data: z.object({
    packet: z.object({ type: z.literal(EVENT), data: z.unknown() }),
    opts: z.object({ rooms: z.array(z.string()).max(4_096), except: z.array(z.string()).max(0) }),
    requestId: z.undefined().optional(),
  }),
})

/** `unreadable`: neither JSON nor MessagePack. `adapter`: not what an adapter says. `failed`: it could not be dealt with. */
export type ChannelFault = 'unreadable' | 'adapter' | 'failed'

export interface ChannelsOptions {
  self: string
  cluster: string
  subscriptions: Pick<Subscriptions, 'subscribe' | 'unsubscribe'>
  spublish(channel: string, payload: string | Buffer): Promise<unknown>
  maxBytesInFlight: number
  retryMs: number
  /** Not checked yet. From whom it is nobody knows. */
  heard(envelope: unknown): void
  /** What this host itself has published has come back. Not checked yet. */
  echoed(envelope: unknown): void
  /** A publication that had been taken has failed. */
  lost(error: unknown): void
  fault(reason: ChannelFault, error?: unknown): void
  /** A subscription could not be made in time, and is tried again. */
  unsubscribed(error: unknown): void
}

type ShardedAdapter = ReturnType<ReturnType<typeof createShardedAdapter>>

export class HostChannels {
  readonly #options: ChannelsOptions
  readonly #publisher: HostPublisher
  readonly #subscriber: HostSubscriber
  readonly #adapter: ShardedAdapter
  readonly #base: string
  /** Whether the adapter has made a message of what has come in. */
  #understood = false

  constructor(options: ChannelsOptions) {
    this.#options = options
    this.#publisher = new HostPublisher({
      spublish: (channel, payload) => options.spublish(channel, payload),
      maxBytesInFlight: options.maxBytesInFlight,
      lost: (error) => options.lost(error),
    })
    this.#subscriber = new HostSubscriber({
      subscriptions: options.subscriptions,
      retryMs: options.retryMs,
      receive: (deliver, message) => this.#receive(deliver, message),
      failed: (error) => options.unsubscribed(error),
    })
    const channelPrefix = backplanePrefix(options.cluster)
    this.#base = `${channelPrefix}#${NAMESPACE}#`
    const adapterOf = createShardedAdapter(this.#publisher, this.#subscriber, {
      channelPrefix,
      subscriptionMode: 'dynamic-private',
    })
    this.#adapter = adapterOf(this.#namespace())
    this.#checkBeforeActing()
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
    return this.#subscriber.confirmed(`${this.#base}${topic}#`)
  }

  /** As `confirmed`, for what goes to all hosts and to this one alone. */
  get open(): Promise<void> | undefined {
    const base = this.#subscriber.confirmed(this.#base)
    const own = this.confirmed(this.#options.self)
    return base === undefined && own === undefined
      ? undefined
      : Promise.all([base, own]).then(() => undefined)
  }

  /**
   * To one topic by its own channel, else by that of all hosts.
   * Throws what can't be encoded or is too much.
   */
  publish(rooms: readonly string[], envelope: HostEnvelope): void {
    this.#adapter['publish']({
      type: MessageType.BROADCAST,
      data: {
        packet: { type: EVENT, data: envelope },
        opts: { rooms: [...rooms], except: [], flags: {} },
      },
    })
  }

  close(): void {
    this.#subscriber.close()
  }

  /** What the adapter needs of a namespace: an encoder that leaves everything as it is, and the one socket. */
  #namespace() {
    const socket = {
      id: this.#options.self,
      client: {
        writeToEngine: ([packet]: { data: unknown }[]) => this.#options.heard(packet?.data),
      },
    }
    return {
      name: NAMESPACE,
      server: { encoder: { encode: (packet: unknown) => [packet] }, opts: {} },
      sockets: new Map([[socket.id, socket]]),
    }
  }

  #checkBeforeActing(): void {
    const adapter = this.#adapter
    const act = adapter['onMessage'].bind(adapter)
    adapter['onMessage'] = (value: unknown) => {
      this.#understood = true
      const message = adapterMessage.safeParse(value)
      if (!message.success) return this.#options.fault('adapter')
      if (message.data.uid === adapter['uid']) return this.#options.echoed(message.data.data.packet.data)
      return act(message.data as unknown as Parameters<typeof act>[0])
    }
    // Nobody is asked anything by way of the adapter.
    adapter['onResponse'] = () => {
      this.#understood = true
      this.#options.fault('adapter')
    }
  }

  #receive(deliver: () => void, message: Buffer): void {
    this.#understood = false
    if (message[0] !== OPENING_BRACE && !isWholeMsgpack(message)) return this.#options.fault('unreadable')
    try {
      deliver()
      if (!this.#understood) this.#options.fault('unreadable')
    } catch (error) {
      this.#options.fault('failed', error)
    }
  }
}
