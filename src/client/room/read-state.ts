/** What the user of one room has read and has not: told to the server, counted, and said when the number is another. */

import type { Entry } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import type { Messages } from '../timeline/messages.ts'
import type { Timeline } from '../timeline/timeline.ts'
import { ReadMark } from './read-marker.ts'
import type { RoomDesk } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'
import type { RoomSummary } from './unread-count.ts'
import { Unread } from './unread-tracker.ts'

export interface RoomReadingOptions {
  room: string
  desk: RoomDesk
  emitter: Emitter<RoomEvents>
  timeline: Timeline
  log: Messages
}

export class RoomReading {
  readonly #options: RoomReadingOptions
  readonly #mark: ReadMark
  readonly #unread: Unread
  #told: number

  constructor(options: RoomReadingOptions) {
    const { room, desk, timeline, log } = options
    this.#options = options
    this.#mark = new ReadMark(room, desk)
    this.#unread = new Unread({ tally: desk.tally(room), timeline, log, me: () => desk.user()?.id })
    this.#told = this.unread
  }

  get unread(): number {
    return this.#unread.count
  }

  get readUpTo(): number {
    return this.#unread.read
  }

  /** The user has read up to here, of what is shown. */
  read(seq: number): void {
    const upTo = Math.min(seq, this.#options.timeline.last)
    this.#mark.set(upTo)
    this.readElsewhere(upTo)
  }

  /** The server knows already. */
  readElsewhere(seq: number): void {
    this.#unread.readUpTo(seq)
    this.#changed()
  }

  /** Tells the server what it does not know yet. */
  tell(): void {
    void this.#mark.tell()
  }

  shown(entries: readonly Entry[]): void {
    this.#unread.shown(entries)
    this.#changed()
  }

  told(summary: RoomSummary): void {
    this.#unread.told(summary)
    this.#changed()
  }

  /** The numbers begin anew. */
  clear(): void {
    this.#mark.clear()
    this.#unread.clear()
  }

  #changed(): void {
    const { room, desk, emitter } = this.#options
    if (this.unread !== this.#told) {
      this.#told = this.unread
      emitter.emit('unread', this.unread)
    }
    desk.tallied(room)
  }
}
