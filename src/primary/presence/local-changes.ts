/**
 * Who is in which room by way of this host, as the other hosts are told: changes numbered over all rooms, each with the
 * number of the room's change before, and everybody in a room as of a number. Pure.
 */
import type { Author } from '../../wire/entry.ts'
import type { HostMessage } from '../../wire/host-messages.ts'
import { PRESENT_MEMBERS_MAX } from '../../wire/host-messages.ts'
import type { PresenceSession } from './presence-table.ts'
import { PresenceTable } from './presence-table.ts'

export type PresenceDelta = HostMessage & { type: 'presence' }
export type PresentMessage = HostMessage & { type: 'present' }
type PresentRoom = PresentMessage['rooms'][number]

export class LocalPresence {
  readonly #table = new PresenceTable(Number.POSITIVE_INFINITY)
  /** The number of the last change, of each room that somebody is in. */
  readonly #versions = new Map<string, number>()
  readonly #maxNamed: number
  #version = 0

  /** @param atOnce users that one message names at most */
  constructor(maxNamed = PRESENT_MEMBERS_MAX) {
    this.#maxNamed = maxNamed
  }

  enter(worker: string, entering: { room: string; user: Author; sessionId: string }): void {
    this.#table.enter(worker, entering)
  }

  leave(worker: string, session: PresenceSession): void {
    this.#table.leave(worker, session)
  }

  dropWorker(worker: string): void {
    this.#table.dropWorker(worker)
  }

  /** What has changed since the last call. */
  takeDeltas(): PresenceDelta[] {
    return this.#table.takeChanges().flatMap(({ room, joined, left, count }) => {
      const deltas: PresenceDelta[] = []
      for (let at = 0; at < Math.max(joined.length, left.length); at += this.#maxNamed) {
        const after = this.#versions.get(room) ?? 0
        this.#version += 1
        this.#versions.set(room, this.#version)
        const part = {
          joined: joined.slice(at, at + this.#maxNamed),
          left: left.slice(at, at + this.#maxNamed),
        }
        deltas.push({ type: 'presence', room, version: this.#version, after, ...part })
      }
      if (count === 0) this.#versions.delete(room)
      return deltas
    })
  }

  /** Everybody in these rooms, changes that have not been taken yet included: to be told in this order, at once. */
  present(rooms: readonly string[]): PresentMessage[] {
    const messages: PresentMessage[] = []
    let batch: PresentRoom[] = []
    let named = 0
    for (const part of rooms.flatMap((room) => this.#parts(room))) {
      if (
        batch.length > 0 &&
        (named + part.members.length > this.#maxNamed || batch.length >= PRESENT_MEMBERS_MAX)
      ) {
        messages.push({ type: 'present', rooms: batch })
        batch = []
        named = 0
      }
      batch.push(part)
      named += part.members.length
    }
    if (batch.length > 0) messages.push({ type: 'present', rooms: batch })
    return messages
  }

  #parts(room: string): PresentRoom[] {
    const { members } = this.#table.members(room)
    const version = this.#versions.get(room) ?? 0
    const parts: PresentRoom[] = []
    for (let at = 0; at < Math.max(1, members.length); at += this.#maxNamed) {
      const end = at + this.#maxNamed
      parts.push({ room, version, members: members.slice(at, end), more: end < members.length })
    }
    return parts
  }
}
