/**
 * The watched rooms of this host, each with a subscription to its channel; watches are counted. Repairs a
 * room when its subscription was restored after a loss. Compares the position of every room with the store
 * from time to time, to find losses that no event reports: an overflowed output buffer, a stopped process.
 */
import { abortableDelay } from '../../core/delay.ts'
import type { Subscriptions } from '../../redis/subscriptions.ts'
import type { LogEntry } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { KnownPosition } from './room-store.ts'
import { RoomSubscription, type RoomSubscriptionOptions } from './room-subscription.ts'
import type { ChannelMessage } from './stored-entry.ts'

/** Limit of positions requested at a time, so that checks of many rooms do not delay messages. */
const CHECKED_AT_ONCE = 100
const CHECK_PAUSE_MS = 200

export interface RedisRoomSubscriptionsOptions {
  subscriptions: Subscriptions
  channelOf: (room: string) => string
  /** Decodes a message of the room's channel. */
  decode: (room: string, message: Buffer) => ChannelMessage
  optionsFor: (room: string) => RoomSubscriptionOptions
  /** Approximate interval of checks of each room; longer with many rooms. */
  checkIntervalMs: number
  /** Limit of watched rooms. */
  maxRooms: number
  onCount: (rooms: number) => void
  onUnreadable: (error: unknown) => void
}

interface ActiveRoom {
  subscription: RoomSubscription
  handler: (message: Buffer) => void
  started: Promise<void>
  holders: number
}

export class RedisRoomSubscriptions {
  readonly #options: RedisRoomSubscriptionsOptions
  readonly #rooms = new Map<string, ActiveRoom>()
  readonly #byChannel = new Map<string, ActiveRoom>()
  readonly #stop = new AbortController()
  readonly #checking: Promise<void>

  constructor(options: RedisRoomSubscriptionsOptions) {
    this.#options = options
    options.subscriptions.onRestored((channels) => {
      for (const channel of channels) this.#byChannel.get(channel)?.subscription.catchUp()
    })
    this.#checking = this.#checkForever()
  }

  /** Resolves when all later entries will be delivered. */
  async watch(room: string): Promise<void> {
    const active = this.#rooms.get(room) ?? this.#open(room)
    active.holders += 1
    try {
      await active.started
    } catch (error) {
      this.#release(room, active)
      throw error
    }
  }

  unwatch(room: string): void {
    const active = this.#rooms.get(room)
    if (active !== undefined) this.#release(room, active)
  }

  knownPosition(room: string): KnownPosition | null {
    return this.#rooms.get(room)?.subscription.knownPosition ?? null
  }

  appended(epoch: string, entry: LogEntry): void {
    this.#rooms.get(entry.room)?.subscription.appended(epoch, entry)
  }

  noteEpoch(room: string, epoch: string): void {
    this.#rooms.get(room)?.subscription.noteEpoch(epoch)
  }

  /** After an outage any room may have changed. */
  catchUpAll(): void {
    for (const { subscription } of this.#rooms.values()) subscription.catchUp()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    for (const [room, active] of this.#rooms) this.#end(room, active)
    await this.#checking
  }

  #open(room: string): ActiveRoom {
    const { subscriptions, channelOf, optionsFor, maxRooms, onCount } = this.#options
    if (this.#stop.signal.aborted) throw new RookeryError('unavailable', 'the log is closed')
    if (this.#rooms.size >= maxRooms)
      throw new RookeryError('unavailable', `this host watches ${maxRooms} rooms already`)
    const subscription = new RoomSubscription(optionsFor(room))
    const handler = (message: Buffer) => this.#receive(room, subscription, message)
    const channel = channelOf(room)
    const started = subscriptions.subscribe(channel, handler).then(() => subscription.start())
    const active = { subscription, handler, started, holders: 0 }
    this.#rooms.set(room, active)
    this.#byChannel.set(channel, active)
    onCount(this.#rooms.size)
    return active
  }

  #release(room: string, active: ActiveRoom): void {
    active.holders -= 1
    if (active.holders === 0) this.#end(room, active)
  }

  #end(room: string, active: ActiveRoom): void {
    if (this.#rooms.get(room) !== active) return
    const { subscriptions, channelOf, onCount } = this.#options
    active.subscription.close()
    this.#rooms.delete(room)
    this.#byChannel.delete(channelOf(room))
    subscriptions.unsubscribe(channelOf(room), active.handler)
    onCount(this.#rooms.size)
  }

  #receive(room: string, subscription: RoomSubscription, message: Buffer): void {
    const decoded = this.#options.decode(room, message)
    if (decoded.type === 'entry') subscription.received(decoded.epoch, decoded.entry)
    else if (decoded.type === 'reset') subscription.noteEpoch(decoded.epoch)
  }

  async #checkForever(): Promise<void> {
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
        await Promise.all(checked.map(({ subscription }) => subscription.check())).catch(onUnreadable)
      }
    }
  }
}
