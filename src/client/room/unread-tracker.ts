/**
 * What is unread in a joined room: the room's unreadCount, fed from its timeline. Says nothing by itself; the room does, when
 * the number is another.
 */
import type { Entry, RoomSummary } from '../connection/guards.ts'
import type { MessageList } from '../timeline/messages.ts'
import type { Timeline } from '../timeline/timeline.ts'
import type { UnreadCount } from './unread-count.ts'

export interface UnreadTrackerOptions {
  unreadCount: UnreadCount
  timeline: Timeline
  list: MessageList
  /** The user's id, once it is known. */
  me: () => string | undefined
}

export class UnreadTracker {
  readonly #options: UnreadTrackerOptions
  /** The furthest that this client knows the user to have read. */
  #read = 0

  constructor(options: UnreadTrackerOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#options.unreadCount.summary.unread
  }

  get read(): number {
    return this.#options.unreadCount.summary.read
  }

  /** Entries that have been shown. The first page of a room that the server has said nothing of counts as read. */
  add(entries: readonly Entry[]): void {
    const { unreadCount, timeline } = this.#options
    if (unreadCount.isInitialized) return this.#feed(entries)
    unreadCount.initialize(timeline.last)
    this.readUpTo(this.#read)
  }

  readUpTo(seq: number): void {
    this.#read = Math.max(this.#read, seq)
    this.#options.unreadCount.markRead(seq, this.#unreadAfter(seq))
  }

  /** The server's number. What has been shown beyond it is counted on top. */
  applySummary(summary: RoomSummary): void {
    const { unreadCount, timeline } = this.#options
    unreadCount.set(summary)
    this.#feed(timeline.entries.filter(({ seq }) => seq > summary.head))
    this.readUpTo(this.#read)
  }

  /** The numbers begin anew, and nobody has read any of it. */
  clear(): void {
    this.#read = 0
    this.#options.unreadCount.initialize(0)
  }

  #feed(entries: readonly Entry[]): void {
    const me = this.#options.me()
    for (const { seq, kind, target, from } of entries) {
      this.#options.unreadCount.add({ seq, kind, target, isOwn: from.id === me })
    }
  }

  /** Counted in what is shown, where that reaches from the mark to the newest. */
  #unreadAfter(seq: number): number | undefined {
    const { unreadCount, timeline, list, me } = this.#options
    if (timeline.first > seq + 1 || timeline.last < unreadCount.summary.head) return undefined
    const myId = me()
    return list.after(seq).filter(({ from, removed }) => !removed && from.id !== myId).length
  }
}
