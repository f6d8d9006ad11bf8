/**
 * Adds a direct room to the room lists of both its users. Remembers this for 30 s, so that not every message
 * needs the store. When a user removes the room, all workers are told, so that the next message adds it again.
 */
import type { Rooms } from '../../wire/app.ts'
import { directUsers, isDirect } from '../../wire/chat-direct.ts'

const REMEMBERED_MAX = 10_000
const REMEMBERED_MS = 30_000

interface TrackedRoom {
  readonly done: Promise<void>
  readonly untilMs: number
}

export interface TrackedRoomsOptions {
  rooms: Pick<Rooms, 'trackRoom' | 'forgetRoom'>
  /** Whether a user can come back: nothing is stored for others. */
  isPersistentUser: (userId: string) => boolean
  /** Tells the other workers that a user has removed a direct room. They call `forgotten`. */
  announce: (userId: string, room: string) => void
}

export class TrackedRooms {
  readonly #announce: TrackedRoomsOptions['announce']
  readonly #rooms: TrackedRoomsOptions['rooms']
  readonly #isPersistentUser: (userId: string) => boolean
  /** Oldest first. */
  readonly #trackedRooms = new Map<string, TrackedRoom>()

  constructor({ rooms, isPersistentUser, announce }: TrackedRoomsOptions) {
    this.#rooms = rooms
    this.#announce = announce
    this.#isPersistentUser = isPersistentUser
  }

  /** Resolves when a direct room is in the lists of its persistent users; at once for any other room. */
  async ensure(room: string, nowMs = performance.now()): Promise<void> {
    const users = directUsers(room)?.filter((userId) => this.#isPersistentUser(userId))
    if (users !== undefined) await Promise.all(users.map((userId) => this.#track(userId, room, nowMs)))
  }

  /** Removes the room from the user's own rooms. */
  async forget(userId: string, room: string): Promise<void> {
    this.forgotten(userId, room)
    await this.#rooms.forgetRoom(userId, room)
    if (isDirect(room)) this.#announce(userId, room)
  }

  /** A user has removed the room, on any worker. */
  forgotten(userId: string, room: string): void {
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
