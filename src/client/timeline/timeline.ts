/**
 * The client's copy of one room's log: a window of consecutive entries up to `last`, and how far the log is
 * known to reach (`head`). Each entry is added once and in order, whatever order they arrive in. If the
 * server withholds entries or contradicts itself, the update carries a `doubt`. Pure: sends no requests and
 * has no timers.
 */

import type { Entry, Page } from '../connection/guards.ts'
import { AnnouncedEpoch, type BufferedEntries } from './announced-epoch.ts'

/** A contradiction or gap in what the server says about a room. */
export type Doubt =
  /** The server says that these exist but does not return them. They were skipped. */
  | { reason: 'missing'; from: number; to: number }
  /** Two different entries had the same number. The first one is kept. */
  | { reason: 'contradiction'; seq: number }
  /** Each answer has a different epoch. */
  | { reason: 'epoch' }
  /** The server acked a message under a number that its log gives to another message. */
  | { reason: 'ack'; seq: number; id: string }

/**
 * `epoch`: a different log with new numbers. `expired`: the log no longer has the entries after the last one
 * seen.
 */
export type ResetReason = 'epoch' | 'expired'

export interface TimelineUpdate {
  /** The new entries, in order. */
  added: Entry[]
  doubt?: Doubt
  reset?: ResetReason
  /** With `reset`: the log had no entries, so that nothing that was shown is gone. */
  wasEmpty?: boolean
  /** The room has to be joined again: only that answer says where the client is. */
  rejoin?: boolean
}

export interface TimelineBounds {
  /** Entries kept normally. */
  windowMax: number
  /** Entries kept after older ones were loaded. */
  loadedMax: number
}

/** Entries that arrived before their predecessors. Beyond the limit they are fetched later. */
const OUT_OF_ORDER_MAX = 1_000
/** Fetches in a row without progress, before the missing entries are skipped. */
const EMPTY_FETCHES_MAX = 4
/** Answers in a row with a new epoch each, before it is reported. */
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
  /** The epoch that the server has announced. Until a join is answered, pushed entries can't be placed. */
  readonly #announced = new AnnouncedEpoch()

  constructor(bounds: TimelineBounds) {
    this.#bounds = bounds
    this.#limit = bounds.windowMax
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** Everything up to here was added or skipped. */
  get last(): number {
    return this.#last
  }

  get head(): number {
    return this.#head
  }

  get epoch(): string | undefined {
    return this.#epoch
  }

  /** The first sequence number in the window; `last + 1` if it is empty. */
  get first(): number {
    return this.#entries[0]?.seq ?? this.#last + 1
  }

  get hasOlder(): boolean {
    return this.#epoch !== undefined && this.first > 1 && !this.#isAtStart
  }

  /** The window is full: no older entries can be added. */
  get isFull(): boolean {
    return this.#entries.length >= this.#bounds.loadedMax
  }

  /** The position for the next join; undefined before the first one. */
  get resumePosition(): { after: number; epoch: string } | undefined {
    return this.#epoch === undefined ? undefined : { after: this.#last, epoch: this.#epoch }
  }

  /** The sequence number after which entries are missing. */
  get missingAfter(): number | undefined {
    return this.#epoch !== undefined && this.#head > this.#last ? this.#last : undefined
  }

  /** The entry with this number, if it is in the window. */
  at(seq: number): Entry | undefined {
    const first = this.#entries[0]
    if (first === undefined || seq < first.seq || seq > this.#last) return undefined
    const guess = this.#entries[seq - first.seq]
    return guess?.seq === seq ? guess : this.#entries.find((entry) => entry.seq === seq)
  }

  /** Whether the server has announced another epoch than the one shown. */
  get isStale(): boolean {
    return this.#announced.isAnnounced
  }

  /**
   * The server announces its epoch. `new`: join again at once. `denied`: a recent join was answered with
   * another epoch, so join again with a delay.
   */
  announceEpoch(epoch: string): 'known' | 'new' | 'denied' {
    if (this.#epoch === undefined || epoch === this.#epoch) return 'known'
    this.#announced.announce(epoch)
    return this.#announced.mismatches === 0 ? 'new' : 'denied'
  }

  /** Adds the page of a join's answer, which continues at `resumePosition` if there was one. */
  addJoinPage(page: Page, reset: boolean): TimelineUpdate {
    const buffered = this.#announced.confirm(page.epoch)
    const update = this.#applyJoin(page, { reset, isConfirmed: buffered !== undefined })
    return buffered === undefined ? update : this.#withBuffered(update, buffered, page.head)
  }

  /** Adds the answer to a request for the entries after `missingAfter`. */
  addNextPage(page: Page): TimelineUpdate {
    if (page.epoch !== this.#epoch) return this.#otherEpoch()
    this.#epochChanges = 0
    return this.#page(page)
  }

  /** The request failed, or its answer was invalid. */
  fetchFailed(): TimelineUpdate {
    return this.#noProgress([])
  }

  /** Adds an entry that the server pushed. */
  addLive(entry: Entry): TimelineUpdate {
    if (this.isStale) {
      this.#announced.buffer(entry)
      return { added: [] }
    }
    const update = this.#addAll([entry])
    this.#trim()
    return update
  }

  /** Entries up to `to` exist in the log that is shown. */
  extendHead(to: number): void {
    if (!this.isStale) this.#head = Math.max(this.#head, to)
  }

  /** The server reports that entries up to `to` exist in its current log. */
  announceHead(to: number): void {
    if (this.isStale) this.#announced.extendTo(to)
    else this.extendHead(to)
  }

  /**
   * Adds a page of entries before `first` in front of the window. A page that does not reach up to the window
   * adds nothing.
   * @returns the number of entries added
   */
  addOlderPage(page: Page, before: number): number {
    if (page.epoch !== this.#epoch || before !== this.first) return 0
    const older = page.messages.filter((entry) => entry.seq < before)
    const run = contiguousUpTo(older, before - 1)
    // The page does not connect to the window: the server has nothing older to give.
    if (run.length === 0) this.#isAtStart = true
    const fitting = run.slice(Math.max(0, run.length - (this.#bounds.loadedMax - this.#entries.length)))
    this.#entries = [...fitting, ...this.#entries]
    this.#isAtStart =
      this.#isAtStart || (!page.more && fitting.length === run.length && run.length === older.length)
    // New messages must not push out what the user is reading.
    if (fitting.length > 0) this.#limit = this.#bounds.loadedMax
    return fitting.length
  }

  /** Drops the entries that `addOlderPage` added. */
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

  /** Adds the buffered entries that the join's page does not include. */
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

  /**
   * Joins again first: an expired log answers with a reset. After some attempts without progress the missing
   * entries are skipped.
   */
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
    const wasEmpty = this.#head === 0
    const isUnstable = this.#epochChanges >= EPOCHS_MAX
    this.#clear()
    // Without `reset` the page continues another log: join again for the newest page.
    const started: TimelineUpdate = reset ? this.#startAt(page) : { added: [], rejoin: true }
    started.reset = sameLog ? 'expired' : 'epoch'
    if (wasEmpty) started.wasEmpty = true
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
    // The first entry with this number is kept.
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

  /** A removed text arrives without its text: that is no contradiction. */
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

/** The longest consecutive run that ends with `seq`. */
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
