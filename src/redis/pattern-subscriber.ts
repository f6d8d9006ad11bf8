/**
 * A connection that is subscribed to patterns of classic channels (`PSUBSCRIBE`), for publishers outside the
 * cluster. It has a connection of its own: what they publish must not delay or end that of the hosts. In a Redis
 * Cluster any node will do, as each gets all classic messages; after a loss another one is asked. What is published
 * while it is away is lost.
 */
import type { Redis } from 'ioredis'
import { stopClient } from './clients.ts'
import { retryDelayMs } from './retry.ts'

const PING_MS = 2_000

export interface PatternEvents {
  message(channel: string, bytes: Buffer): void
  /** It is subscribed to all patterns, or no longer. Not called before it was subscribed for the first time. */
  changed(isSubscribed: boolean): void
  failed(error: Error): void
}

export interface PatternSubscriberOptions {
  patterns: readonly string[]
  events: PatternEvents
  /** Not shared, not connected yet; `undefined` while no node is known. */
  makeClient: () => Redis | undefined
}

export class PatternSubscriber {
  readonly #options: PatternSubscriberOptions
  readonly #pings: NodeJS.Timeout
  #client: Redis | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #subscribed = false
  #closed = false

  constructor(options: PatternSubscriberOptions) {
    this.#options = options
    // Any reply will do: a silent connection is closed (`socketTimeout`).
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref()
    this.#open()
  }

  /** Replaces the connection: it may be to the wrong server. */
  renew(): void {
    if (this.#client !== undefined) this.#replace(this.#client)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#pings)
    clearTimeout(this.#retry)
    if (this.#client !== undefined) stopClient(this.#client)
    this.#client = undefined
  }

  #open(): void {
    const client = this.#options.makeClient()
    if (client === undefined) return this.#openLater()
    this.#client = client
    const { events } = this.#options
    client.on('ready', () => void this.#subscribe(client))
    client.on('error', (error) => events.failed(error))
    client.on('close', () => this.#replace(client))
    client.on('pmessageBuffer', (_: string | Buffer, channel: Buffer, bytes: Buffer) => {
      if (client === this.#client) events.message(channel.toString(), bytes)
    })
    client.connect().catch((error: Error) => this.#failed(client, error))
  }

  async #subscribe(client: Redis): Promise<void> {
    try {
      await client.psubscribe(...this.#options.patterns)
    } catch (error) {
      return this.#failed(client, error as Error)
    }
    if (client !== this.#client) return
    this.#failures = 0
    this.#subscribed = true
    this.#options.events.changed(true)
  }

  #failed(client: Redis, error: Error): void {
    if (client !== this.#client) return
    this.#options.events.failed(error)
    this.#replace(client)
  }

  #replace(client: Redis): void {
    if (client !== this.#client) return
    this.#client = undefined
    stopClient(client)
    if (this.#subscribed) this.#options.events.changed(false)
    this.#subscribed = false
    this.#openLater()
  }

  #openLater(): void {
    if (this.#closed) return
    this.#failures += 1
    this.#retry = setTimeout(() => this.#open(), retryDelayMs(this.#failures, Math.random())).unref()
  }

  #ping(): void {
    const client = this.#client
    if (client?.status === 'ready') client.ping().catch((error: Error) => this.#failed(client, error))
  }
}
