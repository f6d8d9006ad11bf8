/**
 * What the user has read in one room and how much is unread. Sends the marker to the server and emits
 * `unread`.
 */

import type { Entry, RoomSummary } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import type { MessageList } from '../timeline/messages.ts'
import type { Timeline } from '../timeline/timeline.ts'
import { ReadMarker } from './read-marker.ts'
import type { RoomContext } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'
import { UnreadTracker } from './unread-tracker.ts'

export interface RoomReadStateOptions {
  room: string
  context: RoomContext
  emitter: Emitter<RoomEvents>
  timeline: Timeline
  list: MessageList
}

export class RoomReadState {
  readonly #options: RoomReadStateOptions
  readonly #marker: ReadMarker
  readonly #unread: UnreadTracker
  #reported: number

  constructor(options: RoomReadStateOptions) {
    const { room, context, timeline, list } = options
    this.#options = options
    this.#marker = new ReadMarker(room, context)
    this.#unread = new UnreadTracker({
      unreadCount: context.unreadCount(room),
      timeline,
      list,
      me: () => context.user()?.id,
    })
    this.#reported = this.unread
  }

  get unread(): number {
    return this.#unread.count
  }

  get readUpTo(): number {
    return this.#unread.read
  }

  /** The user has read up to here. Limited to what is shown. */
  read(seq: number): void {
    const upTo = Math.min(seq, this.#options.timeline.last)
    this.#marker.set(upTo)
    this.readElsewhere(upTo)
  }

  /** The user has read up to here on another connection: the server knows. */
  readElsewhere(seq: number): void {
    this.#unread.readUpTo(seq)
    this.#changed()
  }

  /** Sends the marker if the server does not know it yet. */
  sendMarker(): void {
    void this.#marker.send()
  }

  add(entries: readonly Entry[]): void {
    this.#unread.add(entries)
    this.#changed()
  }

  applySummary(summary: RoomSummary): void {
    this.#unread.applySummary(summary)
    this.#changed()
  }

  /** The log was renumbered. */
  clear(): void {
    this.#marker.clear()
    this.#unread.clear()
  }

  #changed(): void {
    const { room, context, emitter } = this.#options
    if (this.unread !== this.#reported) {
      this.#reported = this.unread
      emitter.emit('unread', this.unread)
    }
    context.unreadChanged(room)
  }
}
