/**
 * Which connection hears which channel: one for all of them, or in a Redis Cluster the one to the master that owns the
 * channel's slot.
 */
import type { Cluster, Redis } from 'ioredis'
import { Feed, type FeedEvents } from './feed.ts'
import { slotOf } from './slot.ts'

export interface Feeds {
  /** Undefined while nobody is known to own the channel's slot. */
  feedOf(channel: string): Feed | undefined
  all(): Iterable<Feed>
  /** Called when `feedOf` may answer otherwise than before. */
  onMoved(listener: () => void): void
  /** Something shows that slots have moved, or a master has died. */
  suspect(): void
  /** Closes the connections that nothing is wanted of. */
  tidy(): void
  close(): void
}

export class OneFeed implements Feeds {
  readonly #feed: Feed

  constructor(client: Redis, events: FeedEvents) {
    this.#feed = new Feed(client, events, false)
  }

  feedOf(): Feed {
    return this.#feed
  }

  all(): Iterable<Feed> {
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

export class ClusterFeeds implements Feeds {
  readonly #cluster: Cluster
  readonly #makeClient: MakeClient
  readonly #events: FeedEvents
  readonly #feeds = new Map<string, Feed>()
  #look: NodeJS.Timeout | undefined

  constructor(cluster: Cluster, makeClient: MakeClient, events: FeedEvents) {
    this.#cluster = cluster
    this.#makeClient = makeClient
    this.#events = events
  }

  feedOf(channel: string): Feed | undefined {
    const key = this.#cluster.slots[slotOf(channel)]?.[0]
    if (key === undefined) return undefined
    const feed = this.#feeds.get(key) ?? new Feed(this.#makeClient(addressOf(key)), this.#events, true)
    this.#feeds.set(key, feed)
    return feed
  }

  all(): Iterable<Feed> {
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
