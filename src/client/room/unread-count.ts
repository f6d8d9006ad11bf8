/**
 * How many texts by others a user has not read in one room: the server's number, kept right by what has come since.
 * Pure. Exact as long as it is fed every entry in order; whoever feeds it less gets what follows from that.
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

  /** Whether there is a number to go on from. */
  get isInitialized(): boolean {
    return this.#isInitialized
  }

  /** Where nobody has said what is unread: what comes after `head` will be. */
  initialize(head: number): void {
    this.set({ head, read: 0, unread: 0 })
  }

  /** As the server says. What is known beyond it has to be fed again. */
  set({ head, read, unread }: Omit<RoomSummary, 'room'>): void {
    this.#isInitialized = true
    this.#head = head
    this.#read = read
    this.#unread = unread
  }

  /** An entry of the log; one that is counted already changes nothing. */
  add({ seq, kind, target, isOwn }: CountedEntry): void {
    if (seq <= this.#head) return
    this.#head = seq
    if (kind === 'text' && isOwn) this.markRead(seq)
    else if (kind === 'text' && seq > this.#read) this.#unread += 1
    // Removed by its author, as every removal is: it was counted if it came after the mark.
    else if (kind === 'remove' && !isOwn && (target ?? 0) > this.#read)
      this.#unread = Math.max(0, this.#unread - 1)
  }

  /** @param unreadAfter how many are unread after `seq`, where that is known */
  markRead(seq: number, unreadAfter?: number): void {
    if (seq <= this.#read) return
    this.#read = seq
    const atMost = Math.min(this.#unread, Math.max(0, this.#head - seq))
    this.#unread = seq >= this.#head ? 0 : (unreadAfter ?? atMost)
  }
}
