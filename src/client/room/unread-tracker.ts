/** Feeds the unread count of a joined room from its timeline. */
import type { Entry, RoomSummary } from '../connection/guards.ts'
import type { MessageList } from '../timeline/messages.ts'
import type { Timeline } from '../timeline/timeline.ts'
import type { UnreadCount } from './unread-count.ts'

export interface UnreadTrackerOptions {
  unreadCount: UnreadCount
  timeline: Timeline
  list: MessageList
  /** The user's id, once known. */
  me: () => string | undefined
}

export class UnreadTracker {
  readonly #options: UnreadTrackerOptions
  /** The newest position that this client knows the user to have read. */
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

  /** Counts shown entries. Without a summary from the server the first page counts as read. */
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

  /** Sets the server's count and adds the shown entries that it does not include. */
  applySummary(summary: RoomSummary): void {
    const { unreadCount, timeline } = this.#options
    unreadCount.set(summary)
    this.#feed(timeline.entries.filter(({ seq }) => seq > summary.head))
    this.readUpTo(this.#read)
  }

  /** The log was renumbered, and nothing of it is read. */
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

  /** The unread texts after `seq`, if all of them are in memory. */
  #unreadAfter(seq: number): number | undefined {
    const { unreadCount, timeline, list, me } = this.#options
    if (timeline.first > seq + 1 || timeline.last < unreadCount.summary.head) return undefined
    const myId = me()
    return list.after(seq).filter(({ from, removed }) => !removed && from.id !== myId).length
  }
}
