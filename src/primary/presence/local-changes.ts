/**
 * Presence of this host as other hosts receive it. Changes are numbered over all rooms, and each carries the
 * number of the room's previous change. A snapshot of a room carries the number of its last change. Pure.
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
  /** Number of the last change of each occupied room. */
  readonly #versions = new Map<string, number>()
  readonly #maxNamed: number
  #version = 0

  /** @param maxNamed most users named in one message */
  constructor(maxNamed = PRESENT_MEMBERS_MAX) {
    this.#maxNamed = maxNamed
  }

  enter(worker: string, entering: { room: string; user: Author; sessionId: string }): void {
    this.#table.add(worker, entering)
  }

  leave(worker: string, session: PresenceSession): void {
    this.#table.leave(worker, session)
  }

  dropWorker(worker: string): void {
    this.#table.dropWorker(worker)
  }

  /** Changes since the last call. */
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

  /**
   * Snapshots of these rooms, including changes that have not been taken yet. To be sent at once and in this
   * order.
   */
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
