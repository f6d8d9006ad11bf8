/**
 * Topics of this host at the backplane: subscribes at the first local interest in a topic, unsubscribes some
 * time after the last one. Knows which subscriptions are confirmed. Local delivery does not depend on it.
 */
import { withTimeout } from '../../core/with-timeout.ts'
import { roomOf } from '../../wire/topics.ts'
import type { Backplane } from '../backplane/index.ts'

/** Limit of unused topics that are kept for a while. Beyond it a topic is dropped at once. */
const MAX_IDLE = 10_000

/** What else a host follows of a room: its log entries and its presence. */
export interface RoomInterests {
  /** Resolves when it is followed; `undefined` if there is nothing to wait for. Must not reject. */
  want(room: string): Promise<void> | undefined
  release(room: string): void
}

export interface HostSubscriptionsOptions {
  backplane: Pick<Backplane, 'subscribe' | 'unsubscribe' | 'isolated'>
  rooms: RoomInterests | undefined
  confirmMs: number
  idleMs: number
  /** A subscription was confirmed to a worker although Redis has not confirmed it. */
  unconfirmed: (topic: string) => void
}

export class HostSubscriptions {
  readonly #options: HostSubscriptionsOptions
  readonly #pending = new Map<string, Promise<void>>()
  /** Unused since the last sweep, and since the sweep before that. */
  #idle = new Set<string>()
  #idleLonger = new Set<string>()
  #sweep: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: HostSubscriptionsOptions) {
    this.#options = options
  }

  get pending(): number {
    return this.#pending.size
  }

  want(topic: string): void {
    const subscribed = this.#resume(topic) ? undefined : this.#options.backplane.subscribe(topic)
    const room = roomOf(topic)
    const confirmed = room === undefined ? undefined : this.#options.rooms?.want(room)
    if (subscribed !== undefined) this.#await(topic, subscribed)
    if (confirmed !== undefined) this.#await(topic, confirmed)
  }

  release(topic: string): void {
    // Links also end after `close`: there is nothing left to release.
    if (this.#closed) return
    const room = roomOf(topic)
    if (room !== undefined) this.#options.rooms?.release(room)
    if (this.#idle.size >= MAX_IDLE) this.#drop(topic)
    else this.#idle.add(topic)
    this.#sweep ??= setTimeout(() => this.#sweepIdle(), this.#options.idleMs)
  }

  /**
   * Resolves when the topic is confirmed, or after a time limit; `undefined` if there is nothing to wait for.
   * Never rejects.
   */
  confirmed(topic: string): Promise<void> | undefined {
    const pending = this.#pending.get(topic)
    if (pending === undefined) return undefined
    const { backplane, confirmMs, unconfirmed } = this.#options
    if (!backplane.isolated) return withTimeout(confirmMs, pending, () => unconfirmed(topic))
    unconfirmed(topic)
    return undefined
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#sweep)
    this.#pending.clear()
  }

  #await(topic: string, confirmed: Promise<void>): void {
    const before = this.#pending.get(topic)
    const all = Promise.allSettled([before, confirmed]).then(() => undefined)
    this.#pending.set(topic, all)
    void all.then(() => {
      if (this.#pending.get(topic) === all) this.#pending.delete(topic)
    })
  }

  /** @returns whether the host is still subscribed to the topic */
  #resume(topic: string): boolean {
    return this.#idle.delete(topic) || this.#idleLonger.delete(topic)
  }

  #sweepIdle(): void {
    this.#sweep = undefined
    for (const topic of this.#idleLonger) this.#drop(topic)
    this.#idleLonger = this.#idle
    this.#idle = new Set()
    if (this.#idleLonger.size > 0) this.#sweep = setTimeout(() => this.#sweepIdle(), this.#options.idleMs)
  }

  #drop(topic: string): void {
    this.#pending.delete(topic)
    this.#options.backplane.unsubscribe(topic)
  }
}
