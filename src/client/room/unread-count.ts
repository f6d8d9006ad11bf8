/**
 * The number of unread texts by others in one room: the server's count, updated by the entries since. Pure.
 * Exact if it gets every entry in order.
 */
import type { RoomSummary } from '../connection/guards.ts'

export interface CountedEntry {
  readonly seq: number
  readonly kind: string
  readonly target?: number | undefined
  readonly isOwn: boolean
}

export class UnreadCount {
  readonly room: string
  #head = 0
  #read = 0
  #unread = 0
  #isInitialized = false

  constructor(room: string) {
    this.room = room
  }

  get summary(): RoomSummary {
    return { room: this.room, head: this.#head, read: this.#read, unread: this.#unread }
  }

  /** Whether there is a count to continue from. */
  get isInitialized(): boolean {
    return this.#isInitialized
  }

  /** Starts without a count from the server: everything after `head` will be unread. */
  initialize(head: number): void {
    this.set({ head, read: 0, unread: 0 })
  }

  /** Sets the server's values. Entries after `head` have to be added again. */
  set({ head, read, unread }: Omit<RoomSummary, 'room'>): void {
    this.#isInitialized = true
    this.#head = head
    this.#read = read
    this.#unread = unread
  }

  /** Counts a log entry. Ignores entries that are counted already. */
  add({ seq, kind, target, isOwn }: CountedEntry): void {
    if (seq <= this.#head) return
    this.#head = seq
    if (kind === 'text' && isOwn) this.markRead(seq)
    else if (kind === 'text' && seq > this.#read) this.#unread += 1
    // Only authors remove their texts: it was counted if it came after the marker.
    else if (kind === 'remove' && !isOwn && (target ?? 0) > this.#read)
      this.#unread = Math.max(0, this.#unread - 1)
  }

  /** @param unreadAfter the number of unread texts after `seq`, if known */
  markRead(seq: number, unreadAfter?: number): void {
    if (seq <= this.#read) return
    this.#read = seq
    const atMost = Math.min(this.#unread, Math.max(0, this.#head - seq))
    this.#unread = seq >= this.#head ? 0 : (unreadAfter ?? atMost)
  }
}
