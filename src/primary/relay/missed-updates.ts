/**
 * What one worker was to be told of rooms and was not, because it did not keep up: which rooms, and what of their
 * presence, as one change each. Pure. Bounded by the topics that the worker holds, and by the users that are named:
 * past that bound only the count of a room is kept.
 */
import type { PresenceChange } from '../../wire/app.ts'
import { PresenceBacklog } from '../../wire/presence-backlog.ts'
import type { PrimaryEvent } from '../../wire/requests.ts'

/** Users that are named in all backlogs of one worker. */
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

  /** Whether a change of presence must wait for those before it. */
  hasPresence(topic: string): boolean {
    return this.#rooms.get(topic)?.presence !== undefined
  }

  /** The worker does not want the topic any more. */
  forget(topic: string): void {
    this.#users -= this.#rooms.get(topic)?.presence?.size ?? 0
    this.#rooms.delete(topic)
  }

  /** Empties it. @returns what the worker is to be told */
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
