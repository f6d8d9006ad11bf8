/**
 * One client in one room of the chat, as PROTOCOL says that a client follows it: knows what it has been shown, what is to be
 * fetched before anything later is shown, and where to resume. Shows what the server sends: nothing that it sends live is dropped
 * or put in order here, so that a defect of the server shows in the ledger. Of pages it passes over what the client had already
 * when they came. Pure.
 */
import type { Entry, Page } from './responses.ts'

export interface DeliverySink {
  /** A log of which nothing was shown yet; what follows `head` is owed. */
  begin(epoch: string, head: number): void
  show(entry: Entry): void
}

/** To be fetched: from behind `after` up to `upTo`. */
interface Range {
  after: number
  upTo: number
}

/** Live messages that wait for a page; past it they are shown at once. */
const WAITING_MAX = 20_000

export class RoomFollower {
  readonly #showing: DeliverySink
  /** Ranges and live messages, in the order in which they were told. */
  readonly #waiting: (Range | Entry)[] = []
  #state: 'joining' | 'live' | 'outdated' = 'joining'
  #epoch: string | undefined
  #last = 0
  /** Requests to join since the connection began, or the log was replaced. */
  #asked = 0

  constructor(showing: DeliverySink) {
    this.#showing = showing
  }

  /** Largest number that was shown. */
  get last(): number {
    return this.#last
  }

  get isJoined(): boolean {
    return this.#state === 'live'
  }

  /** For `room:join`. */
  get position(): { after: number; epoch: string } | undefined {
    return this.#epoch === undefined ? undefined : { after: this.#last, epoch: this.#epoch }
  }

  /** What is to be asked next of `room:history`. */
  get missingAfter(): number | undefined {
    const [first] = this.#waiting
    return this.#state === 'live' && first !== undefined && 'upTo' in first ? first.after : undefined
  }

  /** A join is asked for. One whose answer did not come may have been done all the same: then live messages go before the page. */
  asks(): void {
    this.#asked += 1
  }

  /** The connection is gone: all that waits is part of what the next join brings. */
  lost(): void {
    this.#state = 'joining'
    this.#waiting.length = 0
    this.#asked = 0
  }

  /** The log was replaced: what comes until the room is joined anew comes with the join as well. */
  outdated(): void {
    this.#state = 'outdated'
    this.#waiting.length = 0
    this.#asked = 0
  }

  joined(page: Page): void {
    this.#state = 'live'
    if (this.#asked > 1) this.#dropUpTo(page.head)
    if (this.#epoch === undefined) this.#begin(page.epoch, page.head)
    else if (page.epoch !== this.#epoch) this.#begin(page.epoch, 0)
    this.#resume(page)
    this.#drain()
  }

  live(entry: Entry): void {
    if (this.#state === 'outdated') return
    if (this.#mustWait()) this.#waiting.push(entry)
    else this.#show(entry)
  }

  gap(from: number, to: number): void {
    if (this.#state !== 'live') return
    this.#waiting.push({ after: from - 1, upTo: to })
    this.#drain()
  }

  /**
   * What was asked for behind `after`.
   * @returns false when it is of another log: then the room is to be joined anew
   */
  fetched(after: number, page: Page): boolean {
    const [range] = this.#waiting
    if (this.#state !== 'live' || range === undefined || !('upTo' in range) || range.after !== after)
      return true
    if (page.epoch !== this.#epoch) return false
    const before = this.#last
    this.#showPage(page.entries, range.upTo)
    range.after = this.#last
    const isReady = !page.more || this.#last === before || this.#last >= range.upTo
    if (isReady) this.#waiting.shift()
    this.#drain()
    return true
  }

  #begin(epoch: string, head: number): void {
    this.#epoch = epoch
    this.#last = head
    this.#showing.begin(epoch, head)
  }

  /**
   * A page that follows on what was shown, or the newest one: then what lies between is fetched first. All of a log that replaced
   * another is owed to who was a member.
   */
  #resume({ entries, head, more, reset }: Page): void {
    const follows = !reset || (entries[0]?.seq ?? 0) <= this.#last + 1
    if (follows) this.#showPage(entries, head)
    if (this.#last < head && (more || !follows)) this.#waiting.unshift({ after: this.#last, upTo: head })
  }

  /** They are part of the page, or were said before a first joining. */
  #dropUpTo(head: number): void {
    const later = this.#waiting.filter((one) => 'upTo' in one || one.seq > head)
    this.#waiting.splice(0, this.#waiting.length, ...later)
  }

  #mustWait(): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false
    return this.#state === 'joining' || this.#waiting.length > 0
  }

  /** A page that holds an entry twice shows it twice. */
  #showPage(entries: readonly Entry[], upTo: number): void {
    const had = this.#last
    for (const entry of entries) if (entry.seq > had && entry.seq <= upTo) this.#show(entry)
  }

  #show(entry: Entry): void {
    this.#showing.show(entry)
    this.#last = Math.max(this.#last, entry.seq)
  }

  /** Shows what waited, up to the next range that must be fetched. */
  #drain(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if ('upTo' in next) {
        next.after = Math.max(next.after, this.#last)
        if (next.after < next.upTo) return
      } else this.#show(next)
      this.#waiting.shift()
    }
  }
}
