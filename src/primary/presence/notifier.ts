/**
 * Notifies the workers who joined and left a room, on any host. Changes within a short time are sent
 * together.
 */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'
import type { MembersView, RoomMembers } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'
import type { PresenceEvent } from '../../wire/requests.ts'
import type { Backplane } from '../backplane/index.ts'
import type { PresenceTimings } from './host-sync.ts'
import { PresenceSync } from './host-sync.ts'
import type { PresenceSession } from './presence-table.ts'
import { PresenceTable } from './presence-table.ts'
import { PresenceThrottle } from './throttle.ts'

const BATCH_MS = 50
/**
 * With other hosts: a leave is held back at least this long, so that a move to another host appears as one
 * change.
 */
const HOSTS_BATCH_MS = 100

/** The single session that represents all sessions of a user on another host. */
const HOST_SESSION = 'host'

export interface NotifierHosts {
  backplane: Backplane
  logger: Logger
  registry: Registry
  timings?: Partial<PresenceTimings>
}

export class PresenceNotifier {
  readonly #table = new PresenceTable()
  readonly #publish: (room: string, event: PresenceEvent) => void
  readonly #sync: PresenceSync | undefined
  readonly #batchMs: number
  readonly #throttle: PresenceThrottle
  #timer: NodeJS.Timeout | undefined

  /** @param hosts undefined if the host works alone */
  constructor(
    publish: (room: string, event: PresenceEvent) => void,
    registry?: Registry,
    hosts?: NotifierHosts,
  ) {
    this.#publish = publish
    this.#sync = hosts === undefined ? undefined : this.#createSync(hosts)
    this.#batchMs = hosts === undefined ? BATCH_MS : HOSTS_BATCH_MS
    this.#throttle = new PresenceThrottle(this.#batchMs)
    if (registry === undefined) return
    registerGauge(registry, {
      name: 'rookery_presence_rooms',
      help: 'Rooms with members',
      read: () => this.#table.size,
    })
  }

  /** With other hosts the result waits for their part of the room, up to a time limit. */
  enter(
    worker: string,
    entering: { room: string; user: Author; sessionId: string },
  ): RoomMembers | Promise<RoomMembers> {
    const members = this.#table.enter(worker, entering)
    this.#sync?.entered(worker, entering)
    this.#schedule()
    const known = this.#sync?.known(entering.room)
    return known === undefined ? members : known.then(() => this.#table.members(entering.room))
  }

  leave(worker: string, session: PresenceSession): void {
    this.#table.leave(worker, session)
    this.#sync?.left(worker, session)
    this.#schedule()
  }

  members(room: string, view?: MembersView): RoomMembers | Promise<RoomMembers> {
    const read = () => this.#table.members(room, view)
    return this.#sync?.known(room)?.then(read) ?? read()
  }

  dropWorker(worker: string): void {
    this.#table.dropWorker(worker)
    this.#sync?.workerGone(worker)
    this.#schedule()
  }

  /**
   * A worker of this host is interested in the room: it is kept up to date from now on. Calls are counted.
   */
  want(room: string): void {
    this.#sync?.want(room)
  }

  release(room: string): void {
    this.#sync?.unwant(room)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#sync?.close()
  }

  #createSync({ backplane, logger, registry, timings = {} }: NotifierHosts): PresenceSync {
    return new PresenceSync({
      backplane,
      logger,
      registry,
      timings,
      enter: (host, room, user) => {
        this.#table.add(placeOf(host), { room, user, sessionId: HOST_SESSION })
        this.#schedule()
      },
      leave: (host, room, userId) => {
        this.#table.leave(placeOf(host), { room, userId, sessionId: HOST_SESSION })
        this.#schedule()
      },
      drop: (host) => {
        this.#table.dropWorker(placeOf(host))
        this.#schedule()
      },
    })
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#publishChanges(performance.now())
      if (this.#table.changed) this.#schedule()
    }, this.#batchMs)
  }

  #publishChanges(nowMs: number): void {
    const isDue = (room: string, count: number) => this.#throttle.isDue(room, count, nowMs)
    for (const change of this.#table.takeChanges(this.#sync !== undefined, isDue)) {
      this.#throttle.published(change.room, change.count, nowMs)
      this.#publish(change.room, { type: 'presence', ...change })
    }
  }
}

/** In the table another host is like one more worker. No worker has such a name. */
function placeOf(host: string): string {
  return `${host}:`
}
