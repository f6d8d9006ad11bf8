/**
 * What the client knows of one room's log: a window of entries in order, without doubles, up to `last`, and how far the
 * log is known to go. Whatever order entries come in, each is shown once, in the log's order; what the server will not
 * give, or tells in two ways, becomes a doubt that is said aloud. Pure: asks for nothing, waits for nothing.
 */

import type { Entry, Page } from '../connection/guards.ts'
import { AnnouncedLog, type HeldSince } from './announced-epoch.ts'

/** What the client can't tell about a room. */
export type Doubt =
  /** These exist by all that the server says, and it does not give them. They were passed over. */
  | { reason: 'missing'; from: number; to: number }
  /** Two different entries came under one number. The first is shown. */
  | { reason: 'contradiction'; seq: number }
  /** The server names another log with each answer. */
  | { reason: 'epoch' }
  /** The server acked a message under a number that the log gives to another. */
  | { reason: 'ack'; seq: number; id: string }

/** `epoch`: this is another log, numbered anew. `expired`: the log no longer keeps what came after the last seen. */
export type ResetReason = 'epoch' | 'expired'

export interface Taken {
  /** In order, to be shown now. */
  shown: Entry[]
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
const EARLY_MAX = 1_000
/** Fetches in a row that bring nothing on, before what is missing is passed over. */
const FRUITLESS_MAX = 4
/** Answers in a row that name another log each. */
const EPOCHS_MAX = 3

export class Timeline {
  readonly #bounds: TimelineBounds
  #epoch: string | undefined
  #entries: Entry[] = []
  #last = 0
  #head = 0
  #early = new Map<number, Entry>()
  #limit: number
  #fruitless = 0
  #epochChanges = 0
  #atStart = false
  /** The log that there is now, says the server of itself: until a join is answered nothing that comes can be placed. */
  readonly #announced = new AnnouncedLog()

  constructor(bounds: TimelineBounds) {
    this.#bounds = bounds
    this.#limit = bounds.windowMax
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** All up to here has been shown or passed over. */
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
    return this.#epoch !== undefined && this.first > 1 && !this.#atStart
  }

  /** No more older entries fit. */
  get full(): boolean {
    return this.#entries.length >= this.#bounds.loadedMax
  }

  /** What to resume a join from. */
  get position(): { after: number; epoch: string } | undefined {
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

  /** Whether the log is known to be another than the one shown. */
  get isOutdated(): boolean {
    return this.#announced.isNamed
  }

  /** The server says of itself which log it has: another has to be joined anew, one that was `denied` lately not at once. */
  announced(epoch: string): 'known' | 'new' | 'denied' {
    if (this.#epoch === undefined || epoch === this.#epoch) return 'known'
    this.#announced.name(epoch)
    return this.#announced.denials === 0 ? 'new' : 'denied'
  }

  /** The answer to a join, which resumed from `position` if there was one. */
  joined(page: Page, reset: boolean): Taken {
    const held = this.#announced.settle(page.epoch)
    const taken = this.#placed(page, { reset, borneOut: held !== undefined })
    return held === undefined ? taken : this.#withHeld(taken, held, page.head)
  }

  /** The answer to a request for what follows `missingAfter`. */
  followed(page: Page): Taken {
    if (page.epoch !== this.#epoch) return this.#otherEpoch()
    this.#epochChanges = 0
    return this.#page(page)
  }

  /** No answer, or none that could be read. */
  unanswered(): Taken {
    return this.#fruitlessly([])
  }

  /** An entry that came by itself. */
  live(entry: Entry): Taken {
    if (this.isOutdated) {
      this.#announced.hold(entry)
      return { shown: [] }
    }
    const taken = this.#takeAll([entry])
    this.#trim()
    return taken
  }

  /** `to` exists in the log that is shown. */
  exists(to: number): void {
    if (!this.isOutdated) this.#head = Math.max(this.#head, to)
  }

  /** `to` exists, says the server of the log that there is now. */
  told(to: number): void {
    if (this.isOutdated) this.#announced.exists(to)
    else this.exists(to)
  }

  /**
   * The answer to a request for what came before `first`, which is put in front of the window. @returns how many were
   * @throws nothing: a page that does not reach up to the window brings none
   */
  preceded(page: Page, before: number): number {
    if (page.epoch !== this.#epoch || before !== this.first) return 0
    const older = page.messages.filter((entry) => entry.seq < before)
    const run = runUpTo(older, before - 1)
    // Nothing follows on from the window: a server that skips some has no more to give.
    if (run.length === 0) this.#atStart = true
    const fitting = run.slice(Math.max(0, run.length - (this.#bounds.loadedMax - this.#entries.length)))
    this.#entries = [...fitting, ...this.#entries]
    this.#atStart =
      this.#atStart || (!page.more && fitting.length === run.length && run.length === older.length)
    // What somebody reads there must not go from under their eyes with each message that comes.
    if (fitting.length > 0) this.#limit = this.#bounds.loadedMax
    return fitting.length
  }

  /** Lets go of what `preceded` brought. */
  letGo(): void {
    this.#limit = this.#bounds.windowMax
    this.#trim()
  }

  #placed(page: Page, { reset, borneOut }: { reset: boolean; borneOut: boolean }): Taken {
    if (this.#epoch === undefined) return this.#startFrom(page)
    if (borneOut) this.#epochChanges = 0
    const sameLog = page.epoch === this.#epoch && page.head >= this.#last
    if (!sameLog || reset) return this.#startOver(page, reset, sameLog)
    this.#epochChanges = 0
    const taken = this.#page(page)
    if (this.#announced.denials >= EPOCHS_MAX) taken.doubt ??= { reason: 'epoch' }
    return taken
  }

  /** What came before the answer was read, and is not in it. */
  #withHeld(taken: Taken, { entries, upTo }: HeldSince, head: number): Taken {
    this.#head = Math.max(this.#head, upTo)
    const { shown, doubt = taken.doubt } = this.#takeAll(entries.filter(({ seq }) => seq > head))
    this.#trim()
    return { ...taken, shown: [...taken.shown, ...shown], ...(doubt === undefined ? {} : { doubt }) }
  }

  #page(page: Page): Taken {
    const before = this.#last
    this.#head = Math.max(this.#head, page.head)
    const taken = this.#takeAll(page.messages)
    this.#trim()
    if (this.#last > before || this.missingAfter === undefined) {
      this.#fruitless = 0
      return taken
    }
    return this.#fruitlessly(taken.shown, taken.doubt)
  }

  /** A server that keeps no more of it says so when it is asked to join; one that never gives it is not waited for. */
  #fruitlessly(shown: Entry[], doubt?: Doubt): Taken {
    this.#fruitless += 1
    if (this.#fruitless < FRUITLESS_MAX)
      return { shown, rejoin: true, ...(doubt === undefined ? {} : { doubt }) }
    this.#fruitless = 0
    const from = this.#last + 1
    if (this.#early.size === 0) {
      const to = this.#head
      this.#head = this.#last
      return to >= from ? { shown, doubt: { reason: 'missing', from, to } } : { shown }
    }
    const to = Math.min(...this.#early.keys()) - 1
    this.#last = to
    this.#drain(shown)
    this.#trim()
    return { shown, doubt: { reason: 'missing', from, to } }
  }

  #otherEpoch(): Taken {
    this.#epochChanges += 1
    const doubt: Doubt = { reason: 'epoch' }
    return { shown: [], rejoin: true, ...(this.#epochChanges >= EPOCHS_MAX ? { doubt } : {}) }
  }

  #startOver(page: Page, reset: boolean, sameLog: boolean): Taken {
    if (!sameLog) this.#epochChanges += 1
    const doubted = this.#epochChanges >= EPOCHS_MAX
    this.#forget()
    // Without `reset` the page is a continuation of something else: the newest one has to be asked for.
    const started: Taken = reset ? this.#startFrom(page) : { shown: [], rejoin: true }
    started.reset = sameLog ? 'expired' : 'epoch'
    if (doubted) started.doubt = { reason: 'epoch' }
    return started
  }

  #forget(): void {
    this.#epoch = undefined
    this.#entries = []
    this.#last = 0
    this.#head = 0
    this.#early.clear()
    this.#fruitless = 0
    this.#atStart = false
    this.#limit = this.#bounds.windowMax
  }

  #startFrom(page: Page): Taken {
    this.#epoch = page.epoch
    this.#head = Math.max(this.#head, page.head)
    const newest = page.messages.at(-1)
    const run = newest === undefined ? [] : runUpTo(page.messages, newest.seq)
    this.#last = newest === undefined ? page.head : (run[0]?.seq ?? 1) - 1
    for (const seq of this.#early.keys()) if (seq <= this.#last) this.#early.delete(seq)
    const taken = this.#takeAll(run)
    this.#atStart = !page.more && run.length === page.messages.length
    this.#trim()
    return taken
  }

  #takeAll(entries: readonly Entry[]): Taken {
    const shown: Entry[] = []
    let doubt: Doubt | undefined
    for (const entry of entries) {
      if (!this.#agrees(entry)) doubt = { reason: 'contradiction', seq: entry.seq }
      this.#take(entry, shown)
    }
    return doubt === undefined ? { shown } : { shown, doubt }
  }

  #take(entry: Entry, shown: Entry[]): void {
    if (this.#epoch !== undefined && entry.seq <= this.#last) return
    this.#head = Math.max(this.#head, entry.seq)
    if (this.#epoch === undefined || entry.seq > this.#last + 1) {
      if (this.#early.size < EARLY_MAX && !this.#early.has(entry.seq)) this.#early.set(entry.seq, entry)
      return
    }
    // What came first under this number stands.
    this.#show(this.#early.get(entry.seq) ?? entry, shown)
    this.#drain(shown)
  }

  #drain(shown: Entry[]): void {
    for (;;) {
      const next = this.#early.get(this.#last + 1)
      if (next === undefined) return
      this.#show(next, shown)
    }
  }

  #show(entry: Entry, shown: Entry[]): void {
    this.#early.delete(entry.seq)
    this.#last = entry.seq
    this.#entries.push(entry)
    shown.push(entry)
  }

  /** A text that has been removed since comes without its text: that is no other entry. */
  #agrees(entry: Entry): boolean {
    const known = this.#early.get(entry.seq) ?? this.at(entry.seq)
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
    this.#atStart = false
  }
}

/** The longest run without a hole that ends with `seq`. */
function runUpTo(entries: readonly Entry[], seq: number): Entry[] {
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
