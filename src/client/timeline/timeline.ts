/**
 * What the client knows of one room's log: a window of entries in order, without doubles, up to `last`, and how far the
 * log is known to go. Whatever order entries come in, each is added once, in the log's order; what the server will not
 * give, or tells in two ways, becomes a doubt that is said aloud. Pure: asks for nothing, waits for nothing.
 */

import type { Entry, Page } from '../connection/guards.ts'
import { AnnouncedEpoch, type BufferedEntries } from './announced-epoch.ts'

/** What the client can't tell about a room. */
export type Doubt =
  /** These exist by all that the server says, and it does not give them. They were passed over. */
  | { reason: 'missing'; from: number; to: number }
  /** Two different entries came under one number. The first is added. */
  | { reason: 'contradiction'; seq: number }
  /** The server names another log with each answer. */
  | { reason: 'epoch' }
  /** The server acked a message under a number that the log gives to another. */
  | { reason: 'ack'; seq: number; id: string }

/** `epoch`: this is another log, numbered anew. `expired`: the log no longer keeps what came after the last seen. */
export type ResetReason = 'epoch' | 'expired'

export interface TimelineUpdate {
  /** In order, to be added now. */
  added: Entry[]
  doubt?: Doubt
  reset?: ResetReason
  /** The server must be asked to join anew: only its answer says where the client stands. */
  rejoin?: boolean
}

export interface TimelineBounds {
  /** Entries kept while nobody looks at older ones. */
  windowMax: number
  /** Entries kept when older ones have been loaded. */
  loadedMax: number
}

/** Entries that came before those in front of them; more of them are fetched when their turn comes. */
const OUT_OF_ORDER_MAX = 1_000
/** Fetches in a row that bring nothing on, before what is missing is passed over. */
const EMPTY_FETCHES_MAX = 4
/** Answers in a row that name another log each. */
const EPOCHS_MAX = 3

export class Timeline {
  readonly #bounds: TimelineBounds
  #epoch: string | undefined
  #entries: Entry[] = []
  #last = 0
  #head = 0
  #outOfOrder = new Map<number, Entry>()
  #limit: number
  #emptyFetches = 0
  #epochChanges = 0
  #isAtStart = false
  /** The log that there is now, says the server of itself: until a join is answered nothing that comes can be placed. */
  readonly #announced = new AnnouncedEpoch()

  constructor(bounds: TimelineBounds) {
    this.#bounds = bounds
    this.#limit = bounds.windowMax
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** All up to here has been added or passed over. */
  get last(): number {
    return this.#last
  }

  get head(): number {
    return this.#head
  }

  get epoch(): string | undefined {
    return this.#epoch
  }

  /** The first number in the window; `last + 1` when it is empty. */
  get first(): number {
    return this.#entries[0]?.seq ?? this.#last + 1
  }

  get hasOlder(): boolean {
    return this.#epoch !== undefined && this.first > 1 && !this.#isAtStart
  }

  /** No more older entries fit. */
  get isFull(): boolean {
    return this.#entries.length >= this.#bounds.loadedMax
  }

  /** What to resume a join from. */
  get resumePosition(): { after: number; epoch: string } | undefined {
    return this.#epoch === undefined ? undefined : { after: this.#last, epoch: this.#epoch }
  }

  /** The number after which entries are missing. */
  get missingAfter(): number | undefined {
    return this.#epoch !== undefined && this.#head > this.#last ? this.#last : undefined
  }

  /** The window's entry of this number. */
  at(seq: number): Entry | undefined {
    const first = this.#entries[0]
    if (first === undefined || seq < first.seq || seq > this.#last) return undefined
    const guess = this.#entries[seq - first.seq]
    return guess?.seq === seq ? guess : this.#entries.find((entry) => entry.seq === seq)
  }

  /** Whether the log is known to be another than the one added. */
  get isStale(): boolean {
    return this.#announced.isAnnounced
  }

  /** The server says of itself which log it has: another has to be joined anew, one that was `denied` lately not at once. */
  announceEpoch(epoch: string): 'known' | 'new' | 'denied' {
    if (this.#epoch === undefined || epoch === this.#epoch) return 'known'
    this.#announced.announce(epoch)
    return this.#announced.mismatches === 0 ? 'new' : 'denied'
  }

  /** The answer to a join, which resumed from `position` if there was one. */
  addJoinPage(page: Page, reset: boolean): TimelineUpdate {
    const buffered = this.#announced.confirm(page.epoch)
    const update = this.#applyJoin(page, { reset, isConfirmed: buffered !== undefined })
    return buffered === undefined ? update : this.#withBuffered(update, buffered, page.head)
  }

  /** The answer to a request for what follows `missingAfter`. */
  addNextPage(page: Page): TimelineUpdate {
    if (page.epoch !== this.#epoch) return this.#otherEpoch()
    this.#epochChanges = 0
    return this.#page(page)
  }

  /** No answer, or none that could be read. */
  fetchFailed(): TimelineUpdate {
    return this.#noProgress([])
  }

  /** An entry that came by itself. */
  addLive(entry: Entry): TimelineUpdate {
    if (this.isStale) {
      this.#announced.buffer(entry)
      return { added: [] }
    }
    const update = this.#addAll([entry])
    this.#trim()
    return update
  }

  /** `to` exists in the log that is added. */
  extendHead(to: number): void {
    if (!this.isStale) this.#head = Math.max(this.#head, to)
  }

  /** `to` exists, says the server of the log that there is now. */
  announceHead(to: number): void {
    if (this.isStale) this.#announced.extendTo(to)
    else this.extendHead(to)
  }

  /**
   * The answer to a request for what came before `first`, which is put in front of the window. @returns how many were
   * @throws nothing: a page that does not reach up to the window brings none
   */
  addOlderPage(page: Page, before: number): number {
    if (page.epoch !== this.#epoch || before !== this.first) return 0
    const older = page.messages.filter((entry) => entry.seq < before)
    const run = contiguousUpTo(older, before - 1)
    // Nothing follows on from the window: a server that skips some has no more to give.
    if (run.length === 0) this.#isAtStart = true
    const fitting = run.slice(Math.max(0, run.length - (this.#bounds.loadedMax - this.#entries.length)))
    this.#entries = [...fitting, ...this.#entries]
    this.#isAtStart =
      this.#isAtStart || (!page.more && fitting.length === run.length && run.length === older.length)
    // What somebody reads there must not go from under their eyes with each message that comes.
    if (fitting.length > 0) this.#limit = this.#bounds.loadedMax
    return fitting.length
  }

  /** Lets go of what `preceded` brought. */
  dropOlder(): void {
    this.#limit = this.#bounds.windowMax
    this.#trim()
  }

  #applyJoin(page: Page, { reset, isConfirmed }: { reset: boolean; isConfirmed: boolean }): TimelineUpdate {
    if (this.#epoch === undefined) return this.#startAt(page)
    if (isConfirmed) this.#epochChanges = 0
    const sameLog = page.epoch === this.#epoch && page.head >= this.#last
    if (!sameLog || reset) return this.#startOver(page, reset, sameLog)
    this.#epochChanges = 0
    const update = this.#page(page)
    if (this.#announced.mismatches >= EPOCHS_MAX) update.doubt ??= { reason: 'epoch' }
    return update
  }

  /** What came before the answer was read, and is not in it. */
  #withBuffered(update: TimelineUpdate, { entries, upTo }: BufferedEntries, head: number): TimelineUpdate {
    this.#head = Math.max(this.#head, upTo)
    const { added, doubt = update.doubt } = this.#addAll(entries.filter(({ seq }) => seq > head))
    this.#trim()
    return { ...update, added: [...update.added, ...added], ...(doubt === undefined ? {} : { doubt }) }
  }

  #page(page: Page): TimelineUpdate {
    const before = this.#last
    this.#head = Math.max(this.#head, page.head)
    const update = this.#addAll(page.messages)
    this.#trim()
    if (this.#last > before || this.missingAfter === undefined) {
      this.#emptyFetches = 0
      return update
    }
    return this.#noProgress(update.added, update.doubt)
  }

  /** A server that keeps no more of it says so when it is asked to join; one that never gives it is not waited for. */
  #noProgress(added: Entry[], doubt?: Doubt): TimelineUpdate {
    this.#emptyFetches += 1
    if (this.#emptyFetches < EMPTY_FETCHES_MAX)
      return { added, rejoin: true, ...(doubt === undefined ? {} : { doubt }) }
    this.#emptyFetches = 0
    const from = this.#last + 1
    if (this.#outOfOrder.size === 0) {
      const to = this.#head
      this.#head = this.#last
      return to >= from ? { added, doubt: { reason: 'missing', from, to } } : { added }
    }
    const to = Math.min(...this.#outOfOrder.keys()) - 1
    this.#last = to
    this.#drain(added)
    this.#trim()
    return { added, doubt: { reason: 'missing', from, to } }
  }

  #otherEpoch(): TimelineUpdate {
    this.#epochChanges += 1
    const doubt: Doubt = { reason: 'epoch' }
    return { added: [], rejoin: true, ...(this.#epochChanges >= EPOCHS_MAX ? { doubt } : {}) }
  }

  #startOver(page: Page, reset: boolean, sameLog: boolean): TimelineUpdate {
    if (!sameLog) this.#epochChanges += 1
    const isUnstable = this.#epochChanges >= EPOCHS_MAX
    this.#clear()
    // Without `reset` the page is a continuation of something else: the newest one has to be asked for.
    const started: TimelineUpdate = reset ? this.#startAt(page) : { added: [], rejoin: true }
    started.reset = sameLog ? 'expired' : 'epoch'
    if (isUnstable) started.doubt = { reason: 'epoch' }
    return started
  }

  #clear(): void {
    this.#epoch = undefined
    this.#entries = []
    this.#last = 0
    this.#head = 0
    this.#outOfOrder.clear()
    this.#emptyFetches = 0
    this.#isAtStart = false
    this.#limit = this.#bounds.windowMax
  }

  #startAt(page: Page): TimelineUpdate {
    this.#epoch = page.epoch
    this.#head = Math.max(this.#head, page.head)
    const newest = page.messages.at(-1)
    const run = newest === undefined ? [] : contiguousUpTo(page.messages, newest.seq)
    this.#last = newest === undefined ? page.head : (run[0]?.seq ?? 1) - 1
    for (const seq of this.#outOfOrder.keys()) if (seq <= this.#last) this.#outOfOrder.delete(seq)
    const update = this.#addAll(run)
    this.#isAtStart = !page.more && run.length === page.messages.length
    this.#trim()
    return update
  }

  #addAll(entries: readonly Entry[]): TimelineUpdate {
    const added: Entry[] = []
    let doubt: Doubt | undefined
    for (const entry of entries) {
      if (!this.#matchesKnown(entry)) doubt = { reason: 'contradiction', seq: entry.seq }
      this.#add(entry, added)
    }
    return doubt === undefined ? { added } : { added, doubt }
  }

  #add(entry: Entry, added: Entry[]): void {
    if (this.#epoch !== undefined && entry.seq <= this.#last) return
    this.#head = Math.max(this.#head, entry.seq)
    if (this.#epoch === undefined || entry.seq > this.#last + 1) {
      if (this.#outOfOrder.size < OUT_OF_ORDER_MAX && !this.#outOfOrder.has(entry.seq))
        this.#outOfOrder.set(entry.seq, entry)
      return
    }
    // What came first under this number stands.
    this.#show(this.#outOfOrder.get(entry.seq) ?? entry, added)
    this.#drain(added)
  }

  #drain(added: Entry[]): void {
    for (;;) {
      const next = this.#outOfOrder.get(this.#last + 1)
      if (next === undefined) return
      this.#show(next, added)
    }
  }

  #show(entry: Entry, added: Entry[]): void {
    this.#outOfOrder.delete(entry.seq)
    this.#last = entry.seq
    this.#entries.push(entry)
    added.push(entry)
  }

  /** A text that has been removed since comes without its text: that is no other entry. */
  #matchesKnown(entry: Entry): boolean {
    const known = this.#outOfOrder.get(entry.seq) ?? this.at(entry.seq)
    if (known === undefined) return true
    const sameText = known.text === entry.text || known.text === undefined || entry.text === undefined
    return (
      known.id === entry.id &&
      known.from.id === entry.from.id &&
      known.kind === entry.kind &&
      known.target === entry.target &&
      sameText
    )
  }

  #trim(): void {
    const excess = this.#entries.length - this.#limit
    if (excess <= 0) return
    this.#entries.splice(0, excess)
    this.#isAtStart = false
  }
}

/** The longest run without a hole that ends with `seq`. */
function contiguousUpTo(entries: readonly Entry[], seq: number): Entry[] {
  const run: Entry[] = []
  let next = seq
  for (const entry of entries.toReversed()) {
    if (entry.seq > next) continue
    if (entry.seq < next) break
    run.push(entry)
    next -= 1
  }
  return run.toReversed()
}
