/** Tells the workers who came to a room and who left it, on whatever host, the changes of a short while together. */

import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'
import type { RoomMembers } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'
import type { PresenceEvent } from '../../wire/requests.ts'
import type { Backplane } from '../backplane/index.ts'
import type { PresenceTimings } from './host-sync.ts'
import { PresenceSync } from './host-sync.ts'
import type { PresenceSession } from './presence-table.ts'
import { PresenceTable } from './presence-table.ts'
import { PresenceThrottle } from './throttle.ts'

const BATCH_MS = 50
/** With other hosts: who leaves is told after that long at least, so that both halves of a move to another host come together. */
const HOSTS_BATCH_MS = 100

/** The one session that stands for all that a user has on another host. */
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

  /** @param hosts none: this host is on its own */
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
      help: 'Rooms that somebody is in',
      read: () => this.#table.size,
    })
  }

  /** With other hosts the answer waits, for a bounded time, until they have told who is there. */
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

  members(room: string): RoomMembers | Promise<RoomMembers> {
    const known = this.#sync?.known(room)
    return known === undefined ? this.#table.members(room) : known.then(() => this.#table.members(room))
  }

  dropWorker(worker: string): void {
    this.#table.dropWorker(worker)
    this.#sync?.workerGone(worker)
    this.#schedule()
  }

  /** A worker of this host wants to hear of the room: from now on it is kept up to date. Counted. */
  wanted(room: string): void {
    this.#sync?.want(room)
  }

  unwanted(room: string): void {
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
        this.#table.enter(placeOf(host), { room, user, sessionId: HOST_SESSION })
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

/** Another host stands in the table like one more worker; no worker has such a name. */
function placeOf(host: string): string {
  return `${host}:`
}
