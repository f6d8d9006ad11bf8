/**
 * The rooms that this host watches: counted, each with a subscription of its channel. Hears the channels, has a room repaired
 * when its subscription had to be made again, and compares the position of every room with the store's from time to time,
 * for losses that nothing announces: an output buffer that overflowed, a process that was stopped.
 */
import { abortableDelay } from '../../core/delay.ts'
import type { Subscriptions } from '../../redis/subscriptions.ts'
import type { LogEntry } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Seen } from './room-store.ts'
import { RoomSubscription, type WatchTerms } from './room-subscription.ts'
import type { Told } from './stored-entry.ts'

/** Positions that are asked for at a time, so that checking many rooms never holds up the messages. */
const CHECKED_AT_ONCE = 100
const CHECK_PAUSE_MS = 200

export interface RedisRoomSubscriptionsOptions {
  subscriptions: Subscriptions
  channelOf: (room: string) => string
  /** What came on the channel of `room`. */
  decode: (room: string, message: Buffer) => Told
  watchOf: (room: string) => WatchTerms
  /** Each room is checked about so often; more rooms take longer. */
  checkIntervalMs: number
  /** Rooms that may be watched. */
  maxRooms: number
  onCount: (rooms: number) => void
  onUnreadable: (error: unknown) => void
}

interface Watched {
  watch: RoomSubscription
  handler: (message: Buffer) => void
  started: Promise<void>
  holders: number
}

export class RedisRoomSubscriptions {
  readonly #options: RedisRoomSubscriptionsOptions
  readonly #rooms = new Map<string, Watched>()
  readonly #byChannel = new Map<string, Watched>()
  readonly #stop = new AbortController()
  readonly #checking: Promise<void>

  constructor(options: RedisRoomSubscriptionsOptions) {
    this.#options = options
    options.subscriptions.onRestored((channels) => {
      for (const channel of channels) this.#byChannel.get(channel)?.watch.catchUp()
    })
    this.#checking = this.#checkForEver()
  }

  /** Resolves when every entry from now on will be told. */
  async watch(room: string): Promise<void> {
    const watched = this.#rooms.get(room) ?? this.#begin(room)
    watched.holders += 1
    try {
      await watched.started
    } catch (error) {
      this.#release(room, watched)
      throw error
    }
  }

  unwatch(room: string): void {
    const watched = this.#rooms.get(room)
    if (watched !== undefined) this.#release(room, watched)
  }

  seen(room: string): Seen | null {
    return this.#rooms.get(room)?.watch.seen ?? null
  }

  appended(epoch: string, entry: LogEntry): void {
    this.#rooms.get(entry.room)?.watch.appended(epoch, entry)
  }

  sawEpoch(room: string, epoch: string): void {
    this.#rooms.get(room)?.watch.sawEpoch(epoch)
  }

  /** After an outage anything may have happened to any room. */
  catchUpAll(): void {
    for (const { watch } of this.#rooms.values()) watch.catchUp()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    for (const [room, watched] of this.#rooms) this.#end(room, watched)
    await this.#checking
  }

  #begin(room: string): Watched {
    const { subscriptions, channelOf, watchOf, maxRooms, onCount } = this.#options
    if (this.#stop.signal.aborted) throw new RookeryError('unavailable', 'the log is closed')
    if (this.#rooms.size >= maxRooms)
      throw new RookeryError('unavailable', `this host watches ${maxRooms} rooms already`)
    const watch = new RoomSubscription(watchOf(room))
    const handler = (message: Buffer) => this.#heard(room, watch, message)
    const channel = channelOf(room)
    const started = subscriptions.subscribe(channel, handler).then(() => watch.start())
    const watched = { watch, handler, started, holders: 0 }
    this.#rooms.set(room, watched)
    this.#byChannel.set(channel, watched)
    onCount(this.#rooms.size)
    return watched
  }

  #release(room: string, watched: Watched): void {
    watched.holders -= 1
    if (watched.holders === 0) this.#end(room, watched)
  }

  #end(room: string, watched: Watched): void {
    if (this.#rooms.get(room) !== watched) return
    const { subscriptions, channelOf, onCount } = this.#options
    watched.watch.close()
    this.#rooms.delete(room)
    this.#byChannel.delete(channelOf(room))
    subscriptions.unsubscribe(channelOf(room), watched.handler)
    onCount(this.#rooms.size)
  }

  #heard(room: string, watch: RoomSubscription, message: Buffer): void {
    const told = this.#options.decode(room, message)
    if (told.type === 'entry') watch.told(told.epoch, told.entry)
    else if (told.type === 'reset') watch.sawEpoch(told.epoch)
  }

  async #checkForEver(): Promise<void> {
    const { checkIntervalMs, onUnreadable } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      const rooms = [...this.#rooms.values()]
      const slices = Math.max(1, Math.ceil(rooms.length / CHECKED_AT_ONCE))
      for (let slice = 0; slice < slices && !signal.aborted; slice += 1) {
        await abortableDelay(
          slices === 1 ? checkIntervalMs : Math.max(checkIntervalMs / slices, CHECK_PAUSE_MS),
          signal,
        )
        const checked = rooms.slice(slice * CHECKED_AT_ONCE, (slice + 1) * CHECKED_AT_ONCE)
        await Promise.all(checked.map(({ watch }) => watch.check())).catch(onUnreadable)
      }
    }
  }
}
