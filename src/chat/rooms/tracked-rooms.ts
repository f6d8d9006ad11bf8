/**
 * Adds a direct room to the room lists of both its users. Remembers this for 30 s, so that not every message
 * needs the store. If a user removes the room meanwhile through another worker, the first message after that
 * time adds it again.
 */
import type { Rooms } from '../../wire/app.ts'
import { directUsers } from '../../wire/chat-direct.ts'

const REMEMBERED_MAX = 10_000
const REMEMBERED_MS = 30_000

interface TrackedRoom {
  readonly done: Promise<void>
  readonly untilMs: number
}

export class TrackedRooms {
  readonly #rooms: Pick<Rooms, 'trackRoom'>
  readonly #isPersistentUser: (userId: string) => boolean
  /** Oldest first. */
  readonly #trackedRooms = new Map<string, TrackedRoom>()

  /** @param isPersistentUser whether a user can come back: nothing is stored for others */
  constructor(rooms: Pick<Rooms, 'trackRoom'>, isPersistentUser: (userId: string) => boolean) {
    this.#rooms = rooms
    this.#isPersistentUser = isPersistentUser
  }

  /** Resolves when a direct room is in the lists of its persistent users; at once for any other room. */
  async ensure(room: string, nowMs = performance.now()): Promise<void> {
    const users = directUsers(room)?.filter((userId) => this.#isPersistentUser(userId))
    if (users !== undefined) await Promise.all(users.map((userId) => this.#track(userId, room, nowMs)))
  }

  forget(userId: string, room: string): void {
    this.#trackedRooms.delete(keyOf(userId, room))
  }

  #track(userId: string, room: string, nowMs: number): Promise<void> {
    const key = keyOf(userId, room)
    const known = this.#trackedRooms.get(key)
    if (known !== undefined && known.untilMs > nowMs) return known.done
    const done = this.#rooms.trackRoom(userId, room)
    this.#remember(key, { done, untilMs: nowMs + REMEMBERED_MS })
    return done
  }

  #remember(key: string, track: TrackedRoom): void {
    this.#trackedRooms.delete(key)
    this.#trackedRooms.set(key, track)
    track.done.catch(() => {
      if (this.#trackedRooms.get(key) === track) this.#trackedRooms.delete(key)
    })
    const [oldest] = this.#trackedRooms.keys()
    if (this.#trackedRooms.size > REMEMBERED_MAX && oldest !== undefined) this.#trackedRooms.delete(oldest)
  }
}

function keyOf(userId: string, room: string): string {
  return `${room} ${userId}`
}
