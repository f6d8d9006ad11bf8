/**
 * Synchronizes presence between hosts. Publishes who joins and leaves on this host, keeps the remote users of
 * rooms that are wanted here, and requests a resync when changes may have been missed. Nothing is stored in
 * Redis: when a host goes, its users go with it.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import type { Author } from '../../wire/entry.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import { QUERY_ROOMS_MAX } from '../../wire/host-messages.ts'
import { roomTopic } from '../../wire/topics.ts'
import type { Backplane, HostChange } from '../backplane/index.ts'
import { LocalPresence } from './local-changes.ts'
import type { PresenceSession } from './presence-table.ts'
import type { PresenceChanges } from './remote-presence.ts'
import { RemotePresence } from './remote-presence.ts'
import { ResyncQueue } from './resync-queue.ts'

/**
 * Limit of rooms that are kept for a single query. Beyond it a query returns what this host already knows.
 */
const MAX_SHORT_INTERESTS = 1_000

export interface PresenceTimings {
  /** Changes within this time are published together. */
  batchMs: number
  /** Resync requests within this time are sent together. */
  askBatchMs: number
  /** An unanswered request is repeated after this time. */
  askAgainMs: number
  /** How long a caller waits for the other hosts' part of a room. */
  syncWaitMs: number
  /** A room is kept up to date for this long after a single query. */
  shortInterestMs: number
}

const presenceTimings: PresenceTimings = {
  batchMs: 25,
  askBatchMs: 10,
  askAgainMs: 1_000,
  syncWaitMs: 1_000,
  shortInterestMs: 10_000,
}

export interface PresenceSyncOptions {
  backplane: Backplane
  /** The table that holds the users of other hosts. */
  enter(host: string, room: string, user: Author): void
  leave(host: string, room: string, userId: string): void
  drop(host: string): void
  logger: Logger
  registry: Registry
  timings?: Partial<PresenceTimings>
}

export class PresenceSync {
  readonly #options: PresenceSyncOptions
  readonly #backplane: Backplane
  readonly #timings: PresenceTimings
  readonly #local = new LocalPresence()
  readonly #remote = new RemotePresence()
  readonly #resyncs: ResyncQueue
  /** How often each room was requested. */
  readonly #wanted = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #shortInterests = new Map<string, NodeJS.Timeout>()
  #publishTimer: NodeJS.Timeout | undefined
  #askTimer: NodeJS.Timeout | undefined

  constructor(options: PresenceSyncOptions) {
    this.#options = options
    this.#backplane = options.backplane
    this.#timings = { ...presenceTimings, ...options.timings }
    this.#resyncs = new ResyncQueue(this.#timings.askAgainMs)
    this.#backplane.onMessage((message, from) => this.#receive(message, from))
    this.#backplane.onHost((change) => this.#hostChanged(change))
    this.#backplane.onGap((host) => this.#requestResync(host))
    this.#registerMetrics(options.registry)
  }

  entered(worker: string, entering: { room: string; user: Author; sessionId: string }): void {
    this.#local.enter(worker, entering)
    this.#publishSoon()
  }

  left(worker: string, session: PresenceSession): void {
    this.#local.leave(worker, session)
    this.#publishSoon()
  }

  workerGone(worker: string): void {
    this.#local.dropWorker(worker)
    this.#publishSoon()
  }

  /** Calls are counted. From the first call on the room is kept up to date. */
  want(room: string): void {
    const wanted = this.#wanted.get(room) ?? 0
    this.#wanted.set(room, wanted + 1)
    if (wanted > 0) return
    this.#remote.open(room, this.#hosts())
    const subscribed = this.#backplane.subscribe(roomTopic(room))
    if (subscribed === undefined) this.#ask(room)
    // Changes before the confirmation may be missed, so the resync is requested after it.
    else void subscribed.then(() => this.#ask(room))
  }

  unwant(room: string): void {
    const wanted = this.#wanted.get(room) ?? 0
    if (wanted > 1) return void this.#wanted.set(room, wanted - 1)
    if (!this.#wanted.delete(room)) return undefined
    this.#backplane.unsubscribe(roomTopic(room))
    this.#resyncs.forget(room)
    for (const [host, left] of this.#remote.close(room))
      for (const userId of left) this.#options.leave(host, room, userId)
    return this.#wake(room)
  }

  /**
   * Resolves when each host has sent its part of the room, or after a time limit; `undefined` if there is
   * nothing to wait for. Never rejects.
   */
  known(room: string): Promise<void> | undefined {
    if (this.#hosts().length === 0 || this.#backplane.isolated) return undefined
    if (!this.#wanted.has(room) && !this.#addShortInterest(room)) return undefined
    if (this.#remote.isSynced(room)) return undefined
    const synced = new Promise<void>((resolve) => {
      this.#waiting.set(room, [...(this.#waiting.get(room) ?? []), resolve])
    })
    return withTimeout(this.#timings.syncWaitMs, synced, () => this.#wake(room))
  }

  close(): void {
    clearTimeout(this.#publishTimer)
    clearTimeout(this.#askTimer)
    for (const timer of this.#shortInterests.values()) clearTimeout(timer)
    for (const room of this.#waiting.keys()) this.#wake(room)
  }

  #hosts(): string[] {
    return this.#backplane.hosts().map(({ host }) => host)
  }

  #addShortInterest(room: string): boolean {
    if (this.#shortInterests.size >= MAX_SHORT_INTERESTS) return false
    this.want(room)
    const end = () => {
      this.#shortInterests.delete(room)
      this.unwant(room)
    }
    this.#shortInterests.set(room, setTimeout(end, this.#timings.shortInterestMs))
    return true
  }

  #publishSoon(): void {
    this.#publishTimer ??= setTimeout(() => {
      this.#publishTimer = undefined
      for (const delta of this.#local.takeDeltas()) this.#backplane.publish([roomTopic(delta.room)], delta)
    }, this.#timings.batchMs)
  }

  #receive(message: HostMessage, host: string): void {
    if (message.type === 'presence') {
      const changes = this.#remote.change(host, message)
      if (changes === 'stale') return this.#askHost(host, message.room)
      return this.#apply(host, message.room, changes)
    }
    if (message.type === 'present?') {
      for (const present of this.#local.present(message.rooms)) this.#backplane.send(host, present)
    } else if (message.type === 'present') {
      for (const room of message.rooms) this.#apply(host, room.room, this.#remote.present(host, room))
    }
    return undefined
  }

  #apply(host: string, room: string, { entered, left }: PresenceChanges): void {
    for (const user of entered) this.#options.enter(host, room, user)
    for (const userId of left) this.#options.leave(host, room, userId)
    if (!this.#remote.isStale(host, room)) this.#resyncs.done(host, room)
    if (this.#remote.isSynced(room)) this.#wake(room)
  }

  #wake(room: string): void {
    const waiting = this.#waiting.get(room) ?? []
    this.#waiting.delete(room)
    for (const resolve of waiting) resolve()
  }

  #hostChanged({ type, host: { host } }: HostChange): void {
    if (type === 'joined') {
      for (const room of this.#remote.rooms) this.#remote.open(room, [host])
      return this.#requestResync(host)
    }
    this.#remote.drop(host)
    this.#resyncs.drop(host)
    this.#options.drop(host)
    for (const room of this.#waiting.keys()) if (this.#remote.isSynced(room)) this.#wake(room)
    return undefined
  }

  #requestResync(host: string): void {
    for (const room of this.#remote.rooms) {
      this.#remote.markStale(host, room)
      this.#askHost(host, room)
    }
  }

  #ask(room: string): void {
    if (!this.#wanted.has(room)) return
    for (const host of this.#hosts()) {
      this.#remote.markStale(host, room)
      this.#askHost(host, room)
    }
  }

  #askHost(host: string, room: string): void {
    this.#resyncs.add(host, room)
    this.#askIn(this.#timings.askBatchMs)
  }

  #askIn(ms: number): void {
    this.#askTimer ??= setTimeout(() => this.#sendRequests(), ms)
  }

  #sendRequests(): void {
    this.#askTimer = undefined
    for (const [host, rooms] of this.#resyncs.take(performance.now())) {
      for (let at = 0; at < rooms.length; at += QUERY_ROOMS_MAX)
        this.#backplane.send(host, { type: 'present?', rooms: rooms.slice(at, at + QUERY_ROOMS_MAX) })
    }
    if (this.#resyncs.size > 0) this.#askIn(this.#timings.askAgainMs)
  }

  #registerMetrics(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number) =>
      registerGauge(registry, { name, help, read })
    gauge('rookery_presence_remote_rooms', 'Rooms whose members other hosts report', () => this.#remote.size)
    gauge('rookery_presence_remote_users', 'Users in rooms through other hosts', () => this.#remote.users)
    gauge(
      'rookery_presence_remote_asked',
      'Rooms that another host must send again',
      () => this.#resyncs.size,
    )
    gauge(
      'rookery_presence_remote_refused',
      'Users in rooms through other hosts that were refused, because there were too many',
      () => this.#remote.refused,
    )
  }
}
