/**
 * What is unread in a joined room: the room's tally, fed from its timeline. Says nothing by itself; the room does, when
 * the number is another.
 */
import type { Entry } from '../connection/guards.ts'
import type { Messages } from '../timeline/messages.ts'
import type { Timeline } from '../timeline/timeline.ts'
import type { RoomSummary, Tally } from './unread-count.ts'

export interface UnreadOptions {
  tally: Tally
  timeline: Timeline
  log: Messages
  /** The user's id, once it is known. */
  me: () => string | undefined
}

export class Unread {
  readonly #options: UnreadOptions
  /** The furthest that this client knows the user to have read. */
  #read = 0

  constructor(options: UnreadOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#options.tally.summary.unread
  }

  get read(): number {
    return this.#options.tally.summary.read
  }

  /** Entries that have been shown. The first page of a room that the server has said nothing of counts as read. */
  shown(entries: readonly Entry[]): void {
    const { tally, timeline } = this.#options
    if (tally.isBegun) return this.#feed(entries)
    tally.begin(timeline.last)
    this.readUpTo(this.#read)
  }

  readUpTo(seq: number): void {
    this.#read = Math.max(this.#read, seq)
    this.#options.tally.read(seq, this.#left(seq))
  }

  /** The server's number. What has been shown beyond it is counted on top. */
  told(summary: RoomSummary): void {
    const { tally, timeline } = this.#options
    tally.told(summary)
    this.#feed(timeline.entries.filter(({ seq }) => seq > summary.head))
    this.readUpTo(this.#read)
  }

  /** The numbers begin anew, and nobody has read any of it. */
  clear(): void {
    this.#read = 0
    this.#options.tally.begin(0)
  }

  #feed(entries: readonly Entry[]): void {
    const me = this.#options.me()
    for (const { seq, kind, target, from } of entries) {
      this.#options.tally.entry({ seq, kind, target, isOwn: from.id === me })
    }
  }

  /** Counted in what is shown, where that reaches from the mark to the newest. */
  #left(seq: number): number | undefined {
    const { tally, timeline, log, me } = this.#options
    if (timeline.first > seq + 1 || timeline.last < tally.summary.head) return undefined
    const myId = me()
    return log.after(seq).filter(({ from, removed }) => !removed && from.id !== myId).length
  }
}
