/**
 * One subscriber connection. Keeps the set of wanted channels and sends SSUBSCRIBE and SUNSUBSCRIBE until
 * Redis has confirmed exactly these, through losses and changes. It never drops a channel by itself. It knows
 * no handlers and no other nodes.
 */
import type { Redis } from 'ioredis'
import { startClient, stopClient } from './clients.ts'
import { retryDelayMs } from './retry.ts'
import { isReply } from './script.ts'
import { slotOf } from './slot.ts'

/** Channels in one round. */
const ROUND_CHANNELS = 1_000
/** Channels in one command. */
const BATCH_CHANNELS = 100
const PING_MS = 2_000
/**
 * Delay of the check after SUNSUBSCRIBE: an SUNSUBSCRIBE by Redis Cluster itself may have been taken for the
 * reply.
 */
const LOOK_MS = 1_000

export interface SubscriberEvents {
  /** @param more whether further channels are about to be confirmed */
  confirmed(channels: readonly string[], more: boolean): void
  /** The subscription of these confirmed channels was lost; the connection goes on trying. */
  lost(channels: readonly string[]): void
  refused(channels: readonly string[], error: Error): void
  /** @param by the connection that received it */
  message(channel: string, bytes: Buffer, by: SubscriberConnection): void
  connected(up: boolean): void
  error(error: Error): void
  /** A slot seems to have moved to another node. */
  moved(): void
  /** `reason` may have changed. */
  changed(): void
}

export class SubscriberConnection {
  readonly #client: Redis
  readonly #events: SubscriberEvents
  /** In a Redis Cluster one command takes channels of one slot. */
  readonly #bySlot: boolean
  readonly #wanted = new Set<string>()
  readonly #confirmed = new Set<string>()
  /** Channels that may differ between the two sets. */
  readonly #changed = new Set<string>()
  /** Refused in a batch: tried alone, so that they do not block others. */
  readonly #retryAlone = new Set<string>()
  readonly #pings: NodeJS.Timeout
  #moveCheck: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  /** Number of the current connection: confirmations of an earlier one do not count. */
  #connection = 0
  #syncing = false
  #up = false
  #closed = false
  #reason: string | null = 'not connected yet'

  /** @param client not shared, not connected yet */
  constructor(client: Redis, events: SubscriberEvents, bySlot: boolean) {
    this.#client = client
    this.#events = events
    this.#bySlot = bySlot
    client.on('ready', () => this.#ready())
    client.on('close', () => this.#lost())
    client.on('error', (error) => this.#failed(error))
    client.on('moved', () => setImmediate(() => this.#checkMoved()))
    client.on('smessageBuffer', (channel: Buffer, bytes: Buffer) =>
      events.message(channel.toString(), bytes, this),
    )
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref()
    startClient(client, (error) => this.#failed(error))
  }

  /** `null` if connected and nothing is refused. */
  get reason(): string | null {
    return this.#reason
  }

  get size(): number {
    return this.#wanted.size
  }

  add(channel: string): void {
    this.#wanted.add(channel)
    this.#markChanged(channel)
  }

  remove(channel: string): void {
    this.#wanted.delete(channel)
    this.#retryAlone.delete(channel)
    this.#markChanged(channel)
  }

  /** Replaces the connection: it seems to be up, but nothing arrives. */
  renew(): void {
    if (this.#up) this.#client.disconnect(true)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#pings)
    clearTimeout(this.#moveCheck)
    clearTimeout(this.#retry)
    stopClient(this.#client)
    this.#lost()
  }

  #markChanged(channel: string): void {
    this.#changed.add(channel)
    void this.#sync()
  }

  #ready(): void {
    this.#up = true
    this.#failures = 0
    this.#setReason(null)
    this.#events.connected(true)
    void this.#sync()
  }

  #lost(): void {
    if (!this.#up) return
    this.#up = false
    this.#connection += 1
    const confirmed = [...this.#confirmed].filter((channel) => this.#wanted.has(channel))
    this.#confirmed.clear()
    this.#changed.clear()
    for (const channel of this.#wanted) this.#changed.add(channel)
    this.#setReason('the subscriber connection is lost')
    this.#events.connected(false)
    this.#events.lost(confirmed)
  }

  #failed(error: Error): void {
    if (!this.#up) this.#setReason(error.message)
    this.#events.error(error)
  }

  /** One round after another; changes during a round belong to the next. */
  async #sync(): Promise<void> {
    if (this.#syncing || this.#retry !== undefined) return
    this.#syncing = true
    // Changes of this turn of the event loop are sent together.
    await Promise.resolve()
    while (this.#up && this.#changed.size > 0 && this.#retry === undefined) await this.#runRound()
    this.#syncing = false
  }

  async #runRound(): Promise<void> {
    const channels = this.#take()
    const subscribing = channels.filter(
      (channel) => this.#wanted.has(channel) && !this.#confirmed.has(channel),
    )
    const leaving = channels.filter((channel) => !this.#wanted.has(channel) && this.#confirmed.has(channel))
    if (leaving.length > 0 && this.#bySlot)
      this.#moveCheck ??= setTimeout(() => this.#checkMoved(), LOOK_MS).unref()
    await Promise.all([
      ...this.#batches(subscribing).map((batch) => this.#subscribe(batch)),
      ...this.#batches(leaving).map((batch) => this.#unsubscribe(batch)),
    ])
    // Includes channels that were removed and added again before Redis was asked.
    const confirmed = channels.filter((channel) => this.#wanted.has(channel) && this.#confirmed.has(channel))
    this.#events.confirmed(confirmed, this.#changed.size > 0 && this.#retry === undefined)
    if (!this.#up || this.#retry !== undefined) return
    this.#failures = 0
    this.#setReason(null)
  }

  #take(): string[] {
    const taken: string[] = []
    for (const channel of this.#changed) {
      if (taken.length === ROUND_CHANNELS) break
      taken.push(channel)
    }
    for (const channel of taken) this.#changed.delete(channel)
    return taken
  }

  #batches(channels: readonly string[]): string[][] {
    const batches: string[][] = []
    const unfilled = new Map<number, string[]>()
    for (const channel of channels) {
      if (this.#retryAlone.has(channel)) {
        batches.push([channel])
        continue
      }
      const group = this.#bySlot ? slotOf(channel) : 0
      const batch = unfilled.get(group) ?? []
      if (batch.length === 0) batches.push(batch)
      batch.push(channel)
      if (batch.length < BATCH_CHANNELS) unfilled.set(group, batch)
      else unfilled.delete(group)
    }
    return batches
  }

  async #subscribe(batch: readonly string[]): Promise<void> {
    const connection = this.#connection
    try {
      await this.#client.ssubscribe(...batch)
    } catch (error) {
      this.#refused(batch, error as Error)
      return
    }
    if (connection !== this.#connection) return
    for (const channel of batch) {
      this.#confirmed.add(channel)
      this.#retryAlone.delete(channel)
    }
  }

  async #unsubscribe(batch: readonly string[]): Promise<void> {
    const connection = this.#connection
    try {
      await this.#client.sunsubscribe(...batch)
    } catch (error) {
      // The slot has moved: Redis has ended the subscription by itself.
      if (!isReply(error, 'MOVED')) return this.#refused(batch, error as Error)
    }
    if (connection !== this.#connection) return
    for (const channel of batch) this.#confirmed.delete(channel)
  }

  #refused(batch: readonly string[], error: Error): void {
    for (const channel of batch) this.#changed.add(channel)
    // Lost with the connection: the next connection subscribes again.
    if (this.#client.status !== 'ready') return
    this.#failures += 1
    if (batch.length > 1) for (const channel of batch) this.#retryAlone.add(channel)
    this.#setReason(`subscribing is refused: ${error.message}`)
    this.#events.refused(batch, error)
    if (isReply(error, 'MOVED')) this.#events.moved()
    this.#retry ??= setTimeout(
      () => {
        this.#retry = undefined
        void this.#sync()
      },
      retryDelayMs(this.#failures, Math.random()),
    )
  }

  /** Redis Cluster ends a subscription by itself when its slot moves. ioredis knows the remaining ones. */
  #checkMoved(): void {
    clearTimeout(this.#moveCheck)
    this.#moveCheck = undefined
    if (!this.#up || this.#closed) return
    const subscriber = this.#client.condition?.subscriber
    const left = new Set(subscriber ? subscriber.channels('ssubscribe') : [])
    const ended = [...this.#confirmed].filter((channel) => !left.has(channel))
    if (ended.length === 0) return
    for (const channel of ended) {
      this.#confirmed.delete(channel)
      this.#changed.add(channel)
    }
    this.#events.lost(ended.filter((channel) => this.#wanted.has(channel)))
    this.#events.moved()
    void this.#sync()
  }

  /** Any reply will do: a silent connection is closed (`socketTimeout`). */
  #ping(): void {
    if (this.#up) this.#client.ping().catch((error: Error) => this.#events.error(error))
  }

  #setReason(reason: string | null): void {
    if (this.#reason === reason) return
    this.#reason = reason
    this.#events.changed()
  }
}
