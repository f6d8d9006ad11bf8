/**
 * Which connection hears which channel: one for all of them, or in a Redis Cluster the one to the master that owns the
 * channel's slot.
 */
import type { Cluster, Redis } from 'ioredis'
import { slotOf } from './slot.ts'
import { SubscriberConnection, type SubscriberEvents } from './subscriber-connection.ts'

export interface SubscriberPool {
  /** Undefined while nobody is known to own the channel's slot. */
  connectionFor(channel: string): SubscriberConnection | undefined
  all(): Iterable<SubscriberConnection>
  /** Called when `connectionFor` may answer otherwise than before. */
  onMoved(listener: () => void): void
  /** Something shows that slots have moved, or a master has died. */
  suspect(): void
  /** Closes the connections that nothing is wanted of. */
  tidy(): void
  close(): void
}

export class SingleSubscriberPool implements SubscriberPool {
  readonly #feed: SubscriberConnection

  constructor(client: Redis, events: SubscriberEvents) {
    this.#feed = new SubscriberConnection(client, events, false)
  }

  connectionFor(): SubscriberConnection {
    return this.#feed
  }

  all(): Iterable<SubscriberConnection> {
    return [this.#feed]
  }

  onMoved(): void {}

  suspect(): void {}

  tidy(): void {}

  close(): void {
    this.#feed.close()
  }
}

type MakeClient = (node: { host: string; port: number }) => Redis

/** Least time between two looks at who owns which slots. */
const LOOK_MS = 250

export class ClusterSubscriberPool implements SubscriberPool {
  readonly #cluster: Cluster
  readonly #makeClient: MakeClient
  readonly #events: SubscriberEvents
  readonly #feeds = new Map<string, SubscriberConnection>()
  #look: NodeJS.Timeout | undefined

  constructor(cluster: Cluster, makeClient: MakeClient, events: SubscriberEvents) {
    this.#cluster = cluster
    this.#makeClient = makeClient
    this.#events = events
  }

  connectionFor(channel: string): SubscriberConnection | undefined {
    const key = this.#cluster.slots[slotOf(channel)]?.[0]
    if (key === undefined) return undefined
    const feed =
      this.#feeds.get(key) ?? new SubscriberConnection(this.#makeClient(addressOf(key)), this.#events, true)
    this.#feeds.set(key, feed)
    return feed
  }

  all(): Iterable<SubscriberConnection> {
    return this.#feeds.values()
  }

  onMoved(listener: () => void): void {
    this.#cluster.on('refresh', listener)
  }

  suspect(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined
      // Its outcome is told by the event `refresh`; one that failed is made up for by the next.
      this.#cluster.refreshSlotsCache()
    }, LOOK_MS)
  }

  tidy(): void {
    for (const [key, feed] of this.#feeds) {
      if (feed.size > 0) continue
      this.#feeds.delete(key)
      feed.close()
    }
  }

  close(): void {
    clearTimeout(this.#look)
    for (const feed of this.#feeds.values()) feed.close()
    this.#feeds.clear()
  }
}

function addressOf(key: string): { host: string; port: number } {
  const colon = key.lastIndexOf(':')
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) }
}
