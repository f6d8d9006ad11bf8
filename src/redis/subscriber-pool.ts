/**
 * Pool of subscriber connections: one for all channels, or in a Redis Cluster one for each master that owns
 * slots of subscribed channels.
 */
import type { Cluster, Redis } from 'ioredis'
import type { NodeAddress } from './clients.ts'
import { slotOf } from './slot.ts'
import { SubscriberConnection, type SubscriberEvents } from './subscriber-connection.ts'

export interface SubscriberPool {
  /** Undefined while the owner of the channel's slot is unknown. */
  connectionFor(channel: string): SubscriberConnection | undefined
  all(): Iterable<SubscriberConnection>
  /** Called when the result of `connectionFor` may have changed. */
  onMoved(listener: () => void): void
  /** Reads the slot owners again, after a sign that slots have moved or a master has died. */
  refreshOwners(): void
  /** Closes connections without channels. */
  closeUnused(): void
  close(): void
}

export class SingleSubscriberPool implements SubscriberPool {
  readonly #connection: SubscriberConnection

  constructor(client: Redis, events: SubscriberEvents) {
    this.#connection = new SubscriberConnection(client, events, false)
  }

  connectionFor(): SubscriberConnection {
    return this.#connection
  }

  all(): Iterable<SubscriberConnection> {
    return [this.#connection]
  }

  onMoved(): void {}

  refreshOwners(): void {}

  closeUnused(): void {}

  close(): void {
    this.#connection.close()
  }
}

type MakeClient = (node: NodeAddress) => Redis

/** Shortest time between two refreshes of the slot owners. */
const LOOK_MS = 250

export class ClusterSubscriberPool implements SubscriberPool {
  readonly #cluster: Cluster
  readonly #makeClient: MakeClient
  readonly #events: SubscriberEvents
  readonly #connections = new Map<string, SubscriberConnection>()
  #refresh: NodeJS.Timeout | undefined

  constructor(cluster: Cluster, makeClient: MakeClient, events: SubscriberEvents) {
    this.#cluster = cluster
    this.#makeClient = makeClient
    this.#events = events
  }

  connectionFor(channel: string): SubscriberConnection | undefined {
    const key = this.#cluster.slots[slotOf(channel)]?.[0]
    if (key === undefined) return undefined
    const connection =
      this.#connections.get(key) ??
      new SubscriberConnection(
        this.#makeClient({ ...this.#tlsOf(key), ...addressOf(key) }),
        this.#events,
        true,
      )
    this.#connections.set(key, connection)
    return connection
  }

  /** The TLS options with which commands are sent to this node. */
  #tlsOf(key: string): Pick<NodeAddress, 'tls'> {
    const node = this.#cluster
      .nodes('all')
      .find(({ options: { host = '', port = 0 } }) => `${host}:${port}` === key)
    return node?.options.tls === undefined ? {} : { tls: node.options.tls }
  }

  all(): Iterable<SubscriberConnection> {
    return this.#connections.values()
  }

  onMoved(listener: () => void): void {
    this.#cluster.on('refresh', listener)
  }

  refreshOwners(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = undefined
      // Success emits the event `refresh`; after a failure the next refresh tries again.
      this.#cluster.refreshSlotsCache()
    }, LOOK_MS)
  }

  closeUnused(): void {
    for (const [key, connection] of this.#connections) {
      if (connection.size > 0) continue
      this.#connections.delete(key)
      connection.close()
    }
  }

  close(): void {
    clearTimeout(this.#refresh)
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }
}

function addressOf(key: string): { host: string; port: number } {
  const colon = key.lastIndexOf(':')
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) }
}
