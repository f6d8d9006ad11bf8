/**
 * One client in one room of the chat, as docs/protocol.md describes it. Knows what was delivered, what must
 * be fetched before anything later is delivered, and where to resume. Live messages are neither dropped nor
 * reordered here, so a defect of the server shows in the delivery records. Entries of pages that the client
 * already had are skipped. Pure.
 */
import type { Entry, Page } from './responses.ts'

export interface DeliverySink {
  /** Starts a log without deliveries; messages after `head` are expected. */
  begin(epoch: string, head: number): void
  show(entry: Entry): void
}

/** Entries to fetch: after `after`, up to `upTo`. */
interface Range {
  after: number
  upTo: number
}

/** Most live messages that wait for a page; further ones are delivered at once. */
const WAITING_MAX = 20_000

export class RoomFollower {
  readonly #sink: DeliverySink
  /** Ranges and live messages, in order of arrival. */
  readonly #waiting: (Range | Entry)[] = []
  #state: 'joining' | 'live' | 'outdated' = 'joining'
  #epoch: string | undefined
  #last = 0
  /** Join requests since the connection began or the log was replaced. */
  #joinRequests = 0

  constructor(sink: DeliverySink) {
    this.#sink = sink
  }

  /** Largest sequence number that was delivered. */
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

  /** What `room:history` must be asked for next. */
  get missingAfter(): number | undefined {
    const [first] = this.#waiting
    return this.#state === 'live' && first !== undefined && 'upTo' in first ? first.after : undefined
  }

  /**
   * A join was requested. If an earlier one got no answer, the server may have joined the client anyway: then
   * live messages come before the page.
   */
  joinRequested(): void {
    this.#joinRequests += 1
  }

  /** The connection has ended: the next join brings everything that waits. */
  disconnected(): void {
    this.#state = 'joining'
    this.#waiting.length = 0
    this.#joinRequests = 0
  }

  /** The log was replaced: the next join brings everything that arrives until then. */
  logReplaced(): void {
    this.#state = 'outdated'
    this.#waiting.length = 0
    this.#joinRequests = 0
  }

  joined(page: Page): void {
    this.#state = 'live'
    if (this.#joinRequests > 1) this.#dropUpTo(page.head)
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
   * A page of what follows `after`.
   * @returns false if it is of another log: then the room must be joined again
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
    this.#sink.begin(epoch, head)
  }

  /**
   * Takes a page that follows the last delivery, or the newest page: then what lies between is fetched first.
   * All of a log that replaced another is expected.
   */
  #resume({ entries, head, more, reset }: Page): void {
    const follows = !reset || (entries[0]?.seq ?? 0) <= this.#last + 1
    if (follows) this.#showPage(entries, head)
    if (this.#last < head && (more || !follows)) this.#waiting.unshift({ after: this.#last, upTo: head })
  }

  /** They are part of the page, or precede the first join. */
  #dropUpTo(head: number): void {
    const later = this.#waiting.filter((one) => 'upTo' in one || one.seq > head)
    this.#waiting.splice(0, this.#waiting.length, ...later)
  }

  #mustWait(): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false
    return this.#state === 'joining' || this.#waiting.length > 0
  }

  /** An entry that a page contains twice is delivered twice. */
  #showPage(entries: readonly Entry[], upTo: number): void {
    const had = this.#last
    for (const entry of entries) if (entry.seq > had && entry.seq <= upTo) this.#show(entry)
  }

  #show(entry: Entry): void {
    this.#sink.show(entry)
    this.#last = Math.max(this.#last, entry.seq)
  }

  /** Delivers what waited, up to the next range that must be fetched. */
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
