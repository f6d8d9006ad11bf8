/** Tells the workers who came to a room and who left it, the changes of a short while together. */

import type { Registry } from 'prom-client'
import { readGauge } from '../core/read-gauge.ts'
import type { RoomMembers } from '../wire/app.ts'
import type { Author } from '../wire/entry.ts'
import type { PresenceEvent } from '../wire/requests.ts'
import type { Stay } from './presence.ts'
import { PresenceTable } from './presence.ts'

const TOGETHER_MS = 50

export class PresenceFeed {
  readonly #table = new PresenceTable()
  readonly #publish: (room: string, event: PresenceEvent) => void
  #timer: NodeJS.Timeout | undefined

  constructor(publish: (room: string, event: PresenceEvent) => void, registry?: Registry) {
    this.#publish = publish
    if (registry === undefined) return
    readGauge(registry, {
      name: 'rookery_presence_rooms',
      help: 'Rooms that somebody is in',
      read: () => this.#table.size,
    })
  }

  enter(worker: string, entering: { room: string; user: Author; stay: string }): RoomMembers {
    const members = this.#table.enter(worker, entering)
    this.#schedule()
    return members
  }

  leave(worker: string, stay: Stay): void {
    this.#table.leave(worker, stay)
    this.#schedule()
  }

  members(room: string): RoomMembers {
    return this.#table.members(room)
  }

  dropWorker(worker: string): void {
    this.#table.dropWorker(worker)
    this.#schedule()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const change of this.#table.takeChanges())
        this.#publish(change.room, { type: 'presence', ...change })
    }, TOGETHER_MS)
  }
}
