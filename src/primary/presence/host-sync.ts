/**
 * Presence between hosts: tells the others who comes and goes here, keeps who is in the rooms that are wanted here by way
 * of others, and asks anew whatever may have been missed. Nothing of it is kept in Redis: a host that is gone takes its
 * users along.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { readGauge } from '../../core/read-gauge.ts'
import { within } from '../../core/within.ts'
import type { Author } from '../../wire/entry.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import { ROOMS_ASKED_MAX } from '../../wire/host-messages.ts'
import { roomTopic } from '../../wire/topics.ts'
import type { Backplane, HostChange } from '../backplane/backplane.ts'
import { OwnPresence } from './local-changes.ts'
import type { Stay } from './presence-table.ts'
import type { PresenceSteps } from './remote-presence.ts'
import { OthersPresence } from './remote-presence.ts'
import { PresenceAsking } from './resync-queue.ts'

/** Rooms that are wanted for a single look. Past it the look is at what is known here. */
const MAX_GLANCES = 1_000

export interface PresenceTimings {
  /** Changes of so long are told to other hosts together. */
  tellMs: number
  /** Questions of so long are put together. */
  askMs: number
  /** What has not been answered is asked again after so long. */
  askAgainMs: number
  /** Nobody waits longer than that for what other hosts have to say of a room. */
  knownMs: number
  /** A room that was looked at once is kept up to date for so long. */
  glanceMs: number
}

const presenceTimings: PresenceTimings = {
  tellMs: 25,
  askMs: 10,
  askAgainMs: 1_000,
  knownMs: 1_000,
  glanceMs: 10_000,
}

export interface HostPresenceOptions {
  backplane: Backplane
  /** The table in which a host's users stand in for that host. */
  enter(host: string, room: string, user: Author): void
  leave(host: string, room: string, userId: string): void
  drop(host: string): void
  logger: Logger
  registry: Registry
  timings?: Partial<PresenceTimings>
}

export class HostPresence {
  readonly #options: HostPresenceOptions
  readonly #backplane: Backplane
  readonly #timings: PresenceTimings
  readonly #own = new OwnPresence()
  readonly #others = new OthersPresence()
  readonly #asking: PresenceAsking
  /** How often each room is wanted here. */
  readonly #wanted = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #glances = new Map<string, NodeJS.Timeout>()
  #tellTimer: NodeJS.Timeout | undefined
  #askTimer: NodeJS.Timeout | undefined

  constructor(options: HostPresenceOptions) {
    this.#options = options
    this.#backplane = options.backplane
    this.#timings = { ...presenceTimings, ...options.timings }
    this.#asking = new PresenceAsking(this.#timings.askAgainMs)
    this.#backplane.onMessage((message, from) => this.#take(message, from))
    this.#backplane.onHost((change) => this.#hostChanged(change))
    this.#backplane.onGap((host) => this.#doubt(host))
    this.#countOn(options.registry)
  }

  entered(worker: string, entering: { room: string; user: Author; stay: string }): void {
    this.#own.enter(worker, entering)
    this.#tellSoon()
  }

  left(worker: string, stay: Stay): void {
    this.#own.leave(worker, stay)
    this.#tellSoon()
  }

  workerGone(worker: string): void {
    this.#own.dropWorker(worker)
    this.#tellSoon()
  }

  /** Counted. From the first time on the room is kept up to date. */
  want(room: string): void {
    const wanted = this.#wanted.get(room) ?? 0
    this.#wanted.set(room, wanted + 1)
    if (wanted > 0) return
    this.#others.open(room, this.#hosts())
    const subscribed = this.#backplane.subscribe(roomTopic(room))
    if (subscribed === undefined) this.#ask(room)
    // What is told before it is confirmed may not be heard: it is asked for behind that.
    else void subscribed.then(() => this.#ask(room))
  }

  unwant(room: string): void {
    const wanted = this.#wanted.get(room) ?? 0
    if (wanted > 1) return void this.#wanted.set(room, wanted - 1)
    if (!this.#wanted.delete(room)) return undefined
    this.#backplane.unsubscribe(roomTopic(room))
    this.#asking.forget(room)
    for (const [host, left] of this.#others.close(room))
      for (const userId of left) this.#options.leave(host, room, userId)
    return this.#wake(room)
  }

  /** Resolves when each host has told of the room, or that takes too long; `undefined`: nothing to wait for. Never rejects. */
  known(room: string): Promise<void> | undefined {
    if (this.#hosts().length === 0 || this.#backplane.isolated) return undefined
    if (!this.#wanted.has(room) && !this.#glance(room)) return undefined
    if (this.#others.isTold(room)) return undefined
    const told = new Promise<void>((resolve) => {
      this.#waiting.set(room, [...(this.#waiting.get(room) ?? []), resolve])
    })
    return within(this.#timings.knownMs, told, () => this.#wake(room))
  }

  close(): void {
    clearTimeout(this.#tellTimer)
    clearTimeout(this.#askTimer)
    for (const timer of this.#glances.values()) clearTimeout(timer)
    for (const room of this.#waiting.keys()) this.#wake(room)
  }

  #hosts(): string[] {
    return this.#backplane.hosts().map(({ host }) => host)
  }

  #glance(room: string): boolean {
    if (this.#glances.size >= MAX_GLANCES) return false
    this.want(room)
    const end = () => {
      this.#glances.delete(room)
      this.unwant(room)
    }
    this.#glances.set(room, setTimeout(end, this.#timings.glanceMs))
    return true
  }

  #tellSoon(): void {
    this.#tellTimer ??= setTimeout(() => {
      this.#tellTimer = undefined
      for (const delta of this.#own.takeDeltas()) this.#backplane.publish([roomTopic(delta.room)], delta)
    }, this.#timings.tellMs)
  }

  #take(message: HostMessage, host: string): void {
    if (message.type === 'presence') {
      const steps = this.#others.change(host, message)
      if (steps === 'unsure') return this.#askHost(host, message.room)
      return this.#apply(host, message.room, steps)
    }
    if (message.type === 'present?') {
      for (const present of this.#own.present(message.rooms)) this.#backplane.send(host, present)
    } else if (message.type === 'present') {
      for (const room of message.rooms) this.#apply(host, room.room, this.#others.present(host, room))
    }
    return undefined
  }

  #apply(host: string, room: string, { entered, left }: PresenceSteps): void {
    for (const user of entered) this.#options.enter(host, room, user)
    for (const userId of left) this.#options.leave(host, room, userId)
    if (!this.#others.isUnsure(host, room)) this.#asking.settle(host, room)
    if (this.#others.isTold(room)) this.#wake(room)
  }

  #wake(room: string): void {
    const waiting = this.#waiting.get(room) ?? []
    this.#waiting.delete(room)
    for (const resolve of waiting) resolve()
  }

  #hostChanged({ type, host: { host } }: HostChange): void {
    if (type === 'joined') {
      for (const room of this.#others.rooms) this.#others.open(room, [host])
      return this.#doubt(host)
    }
    this.#others.drop(host)
    this.#asking.drop(host)
    this.#options.drop(host)
    for (const room of this.#waiting.keys()) if (this.#others.isTold(room)) this.#wake(room)
    return undefined
  }

  #doubt(host: string): void {
    for (const room of this.#others.rooms) {
      this.#others.doubt(host, room)
      this.#askHost(host, room)
    }
  }

  #ask(room: string): void {
    if (!this.#wanted.has(room)) return
    for (const host of this.#hosts()) {
      this.#others.doubt(host, room)
      this.#askHost(host, room)
    }
  }

  #askHost(host: string, room: string): void {
    this.#asking.add(host, room)
    this.#askIn(this.#timings.askMs)
  }

  #askIn(ms: number): void {
    this.#askTimer ??= setTimeout(() => this.#putQuestions(), ms)
  }

  #putQuestions(): void {
    this.#askTimer = undefined
    for (const [host, rooms] of this.#asking.take(performance.now())) {
      for (let at = 0; at < rooms.length; at += ROOMS_ASKED_MAX)
        this.#backplane.send(host, { type: 'present?', rooms: rooms.slice(at, at + ROOMS_ASKED_MAX) })
    }
    if (this.#asking.size > 0) this.#askIn(this.#timings.askAgainMs)
  }

  #countOn(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number) =>
      readGauge(registry, { name, help, read })
    gauge(
      'rookery_presence_remote_rooms',
      'Rooms of which other hosts tell who is there',
      () => this.#others.size,
    )
    gauge('rookery_presence_remote_users', 'Users in rooms by way of other hosts', () => this.#others.users)
    gauge(
      'rookery_presence_remote_asked',
      'Rooms that another host has to tell anew',
      () => this.#asking.size,
    )
    gauge(
      'rookery_presence_remote_refused',
      'Users in rooms by way of other hosts that were not taken in, because there were too many',
      () => this.#others.refused,
    )
  }
}
