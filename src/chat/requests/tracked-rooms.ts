/**
 * Makes a direct room one of both users' own, without asking the store again for each message: what was tracked a
 * short while ago is taken to be so still. A user who forgot the room meanwhile, through another worker, has it again
 * with the first message after that while.
 */
import type { Rooms } from '../../wire/app.ts'
import { directUsers } from '../../wire/chat-direct.ts'

const REMEMBERED_MAX = 10_000
const REMEMBERED_MS = 30_000

interface Track {
  readonly done: Promise<void>
  readonly untilMs: number
}

export class RecentTracks {
  readonly #rooms: Pick<Rooms, 'trackRoom'>
  readonly #lasts: (userId: string) => boolean
  /** Oldest first. */
  readonly #tracks = new Map<string, Track>()

  /** @param lasts whether a user may come back: nothing is tracked for one who never will */
  constructor(rooms: Pick<Rooms, 'trackRoom'>, lasts: (userId: string) => boolean) {
    this.#rooms = rooms
    this.#lasts = lasts
  }

  /** Resolves when a direct room is one of both its users' own, as far as they last; at once for any other room. */
  async ensure(room: string, nowMs = performance.now()): Promise<void> {
    const users = directUsers(room)?.filter((userId) => this.#lasts(userId))
    if (users !== undefined) await Promise.all(users.map((userId) => this.#track(userId, room, nowMs)))
  }

  forget(userId: string, room: string): void {
    this.#tracks.delete(keyOf(userId, room))
  }

  #track(userId: string, room: string, nowMs: number): Promise<void> {
    const key = keyOf(userId, room)
    const known = this.#tracks.get(key)
    if (known !== undefined && known.untilMs > nowMs) return known.done
    const done = this.#rooms.trackRoom(userId, room)
    this.#remember(key, { done, untilMs: nowMs + REMEMBERED_MS })
    return done
  }

  #remember(key: string, track: Track): void {
    this.#tracks.delete(key)
    this.#tracks.set(key, track)
    track.done.catch(() => {
      if (this.#tracks.get(key) === track) this.#tracks.delete(key)
    })
    const [oldest] = this.#tracks.keys()
    if (this.#tracks.size > REMEMBERED_MAX && oldest !== undefined) this.#tracks.delete(oldest)
  }
}

function keyOf(userId: string, room: string): string {
  return `${room} ${userId}`
}
