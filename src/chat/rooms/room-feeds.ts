/**
 * The rooms that are open on this worker: one subscription a room, opened for the first who holds it, closed when the
 * last lets go. A room that is let go while it is being opened is closed as soon as it is open.
 */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RoomSubscription, Rooms } from '../../wire/app.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { Outlet } from './room-feed.ts'
import { RoomFeed } from './room-feed.ts'

interface OpenRoom {
  readonly feed: RoomFeed
  readonly subscription: Promise<RoomSubscription>
  holders: number
}

export interface FeedHold {
  readonly feed: RoomFeed
  /** Resolves when the feed gets every entry from then on. Rejects with what `Rooms.open` rejects with. */
  readonly opened: Promise<unknown>
  /** Once. */
  release(): void
}

export interface FeedsOptions {
  rooms: Pick<Rooms, 'open'>
  outlet: Outlet
  logger: Logger
  /** Shows how many rooms are open. */
  openRooms: ChatMetrics['openRooms']
}

/** A store that is away shuts all rooms, and clients try again and again. */
const SHUT_LOG_MS = 5_000

export class Feeds {
  readonly #options: FeedsOptions
  readonly #openThrottle = new LogThrottle(SHUT_LOG_MS)
  readonly #open = new Map<string, OpenRoom>()

  constructor(options: FeedsOptions) {
    this.#options = options
  }

  hold(room: string): FeedHold {
    const open = this.#open.get(room) ?? this.#openRoom(room)
    open.holders += 1
    let held = true
    const release = (): void => {
      if (!held) return
      held = false
      open.holders -= 1
      if (open.holders === 0) this.#close(room, open)
    }
    return { feed: open.feed, opened: open.subscription, release }
  }

  /** Whether the user is in the room with a socket of this worker. */
  hasUser(room: string, userId: string): boolean {
    return this.#open.get(room)?.feed.hasUser(userId) ?? false
  }

  #openRoom(room: string): OpenRoom {
    const feed = new RoomFeed(room, this.#options.outlet)
    const open: OpenRoom = { feed, subscription: this.#options.rooms.open(room, feed), holders: 0 }
    this.#open.set(room, open)
    this.#options.openRooms.set(this.#open.size)
    open.subscription.catch((error: unknown) => {
      this.#openThrottle.run((heldBack) =>
        this.#options.logger.warn({ err: error, room, heldBack }, 'a room could not be opened'),
      )
      this.#forget(room, open)
    })
    return open
  }

  #close(room: string, open: OpenRoom): void {
    this.#forget(room, open)
    open.subscription.then(
      (subscription) => subscription.close(),
      (error: unknown) =>
        this.#options.logger.debug({ err: error, room }, 'nothing to close: the room never opened'),
    )
  }

  #forget(room: string, open: OpenRoom): void {
    if (this.#open.get(room) === open) this.#open.delete(room)
    this.#options.openRooms.set(this.#open.size)
  }
}
