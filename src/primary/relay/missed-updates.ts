/**
 * Room updates that could not be sent to a worker that fell behind: the rooms, and for each the missed
 * presence as one change. Pure. Bounded by the topics of the worker and by the number of named users. Beyond
 * that only the member count of a room is kept.
 */
import type { PresenceChange } from '../../wire/app.ts'
import { PresenceBacklog } from '../../wire/presence-backlog.ts'
import type { PrimaryEvent } from '../../wire/requests.ts'

/** Limit of users named in all backlogs of one worker. */
const USERS_MAX = 50_000

interface MissedRoom {
  room: string
  presence: PresenceBacklog | undefined
}

export class MissedUpdates {
  readonly #rooms = new Map<string, MissedRoom>()
  readonly #usersMax: number
  #users = 0

  constructor(usersMax = USERS_MAX) {
    this.#usersMax = usersMax
  }

  get size(): number {
    return this.#rooms.size
  }

  entry(topic: string, room: string): void {
    this.#missed(topic, room)
  }

  presence(topic: string, room: string, change: PresenceChange): void {
    const missed = this.#missed(topic, room)
    const backlog = missed.presence ?? new PresenceBacklog()
    missed.presence = backlog
    const before = backlog.size
    backlog.add(change, this.#users >= this.#usersMax)
    this.#users += backlog.size - before
  }

  /** Whether a presence change must wait behind earlier ones. */
  hasPresence(topic: string): boolean {
    return this.#rooms.get(topic)?.presence !== undefined
  }

  /** The worker has unsubscribed from the topic. */
  forget(topic: string): void {
    this.#users -= this.#rooms.get(topic)?.presence?.size ?? 0
    this.#rooms.delete(topic)
  }

  /** Removes all missed updates. @returns the events to send to the worker */
  take(): PrimaryEvent[] {
    const events = [...this.#rooms.values()].map(({ room, presence }): PrimaryEvent => {
      const change = presence?.take()
      return { type: 'behind', room, ...(change === undefined ? {} : { presence: change }) }
    })
    this.#rooms.clear()
    this.#users = 0
    return events
  }

  #missed(topic: string, room: string): MissedRoom {
    const missed = this.#rooms.get(topic) ?? { room, presence: undefined }
    this.#rooms.set(topic, missed)
    return missed
  }
}
