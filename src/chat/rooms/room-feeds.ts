/**
 * The open rooms of this worker: one subscription per room, opened by the first `acquire` and closed by the
 * last `release`. A room that is released while it is being opened is closed as soon as it is open.
 */
import type { Logger } from 'pino'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RoomSubscription, Rooms } from '../../wire/app.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { FeedOutput } from './room-feed.ts'
import { RoomFeed } from './room-feed.ts'

interface OpenRoom {
  readonly feed: RoomFeed
  readonly subscription: Promise<RoomSubscription>
  handles: number
}

export interface FeedHandle {
  readonly feed: RoomFeed
  /** Resolves when the feed gets every entry from then on. Rejects as `Rooms.open` does. */
  readonly opened: Promise<unknown>
  /** Further calls do nothing. */
  release(): void
}

export interface RoomFeedsOptions {
  rooms: Pick<Rooms, 'open'>
  output: FeedOutput
  logger: Logger
  /** The number of open rooms. */
  openRooms: ChatMetrics['openRooms']
}

/** Least time between two log lines: while the store is away no room opens, and clients retry. */
const OPEN_FAILED_LOG_MS = 5_000

export class RoomFeeds {
  readonly #options: RoomFeedsOptions
  readonly #openThrottle = new LogThrottle(OPEN_FAILED_LOG_MS)
  readonly #open = new Map<string, OpenRoom>()

  constructor(options: RoomFeedsOptions) {
    this.#options = options
  }

  acquire(room: string): FeedHandle {
    const open = this.#open.get(room) ?? this.#openRoom(room)
    open.handles += 1
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      open.handles -= 1
      if (open.handles === 0) this.#close(room, open)
    }
    return { feed: open.feed, opened: open.subscription, release }
  }

  /** Whether the user is in the room with a socket of this worker. */
  hasUser(room: string, userId: string): boolean {
    return this.#open.get(room)?.feed.hasUser(userId) ?? false
  }

  #openRoom(room: string): OpenRoom {
    const feed = new RoomFeed(room, this.#options.output)
    const open: OpenRoom = { feed, subscription: this.#options.rooms.open(room, feed), handles: 0 }
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
        this.#options.logger.debug({ err: error, room }, 'nothing to close: the room did not open'),
    )
  }

  #forget(room: string, open: OpenRoom): void {
    if (this.#open.get(room) === open) this.#open.delete(room)
    this.#options.openRooms.set(this.#open.size)
  }
}
