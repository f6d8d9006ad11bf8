/**
 * Subscription to one watched room. Takes entries from the channel and from this host's own appends, in any
 * order, and delivers them in sequence, each once. Missing entries are read from the store before later ones
 * are delivered. If the store has lost its end or was replaced, it reports a reset; after that only entries
 * after the new head are delivered. I/O is passed in.
 */
import type { LogEntry } from '../../wire/entry.ts'
import type { HeadInfo, LogPage, ReadRange } from '../room-log.ts'
import type { KnownPosition } from './room-store.ts'
import { proofOf } from './stored-entry.ts'

const REPAIR_PAGE = 200
/** Limit of entries that arrived too early. Beyond it they are dropped and read from the store. */
const PENDING_LIMIT = 1_000
/** Number of delivered entries that are remembered, to detect other entries with the same number. */
const RECENT_LIMIT = 256
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8_000
/** An entry of the store that the channel has not delivered by then was lost. */
const GRACE_MS = 500

export interface RoomSubscriptionOptions {
  room: string
  read(range: ReadRange): Promise<LogPage>
  position(): Promise<HeadInfo>
  deliver(entry: LogEntry): void
  /** @param delivered number of the last entry delivered of the log that is gone; 0 if it had none */
  reset(position: { epoch: string; head: number; delivered: number }): void
  /** Entries missed on the channel were read from the store. */
  onRepair(): void
  /** The store cannot be read now; it is retried. */
  onUnreadable(error: unknown): void
  /** The channel delivered an entry that the store does not have. */
  onUnknown(): void
}

interface Pending {
  epoch: string
  entry: LogEntry
}

export class RoomSubscription {
  readonly #options: RoomSubscriptionOptions
  readonly #pending = new Map<number, Pending>()
  /** Delivered entries by seq, with the proof that identifies them. */
  readonly #recent = new Map<number, string>()
  /** Undefined until started. */
  #epoch: string | undefined
  #delivered = 0
  /** Newest entry from the channel. */
  #lastReceived = 0
  #proof = ''
  #behind = false
  #repairing = false
  #pauseMs = FIRST_PAUSE_MS
  #retry: NodeJS.Timeout | undefined
  #grace: NodeJS.Timeout | undefined
  /** Head of the store when the grace time started. */
  #expected = 0
  #closed = false

  constructor(options: RoomSubscriptionOptions) {
    this.#options = options
  }

  /** Must be called when the channel is subscribed. All entries after the current head will be delivered. */
  async start(): Promise<void> {
    const { epoch, head, entries } = await this.#options.read({ newest: true, limit: 1 })
    this.#moveTo(epoch, head, entries.at(-1))
    this.#flush()
  }

  get knownPosition(): KnownPosition | null {
    if (this.#epoch === undefined) return null
    return { epoch: this.#epoch, seq: this.#delivered, proof: this.#proof }
  }

  /** The channel delivered an entry. */
  received(epoch: string, entry: LogEntry): void {
    this.#lastReceived = entry.seq
    this.#offer(epoch, entry)
    this.#checkForGap()
  }

  /** This host appended an entry. It may arrive before earlier entries of other hosts. */
  appended(epoch: string, entry: LogEntry): void {
    this.#offer(epoch, entry)
    if (this.#pending.has(entry.seq)) this.#expect(entry.seq)
  }

  /** An answer of the store carried this epoch. */
  noteEpoch(epoch: string): void {
    if (this.#epoch !== undefined && epoch !== this.#epoch) this.catchUp()
  }

  /** Entries may have been missed: reads them from the store. */
  catchUp(): void {
    if (this.#closed) return
    this.#behind = true
    if (this.#epoch !== undefined && !this.#repairing) void this.#repair()
  }

  /** Compares the position with the store, to find losses that no event reports. */
  async check(): Promise<void> {
    if (this.#epoch === undefined || this.#repairing) return
    const { epoch, head } = await this.#options.position()
    if (epoch !== this.#epoch) this.catchUp()
    else if (head > this.#delivered) this.#expect(head)
  }

  close(): void {
    this.#closed = true
    this.#pending.clear()
    clearTimeout(this.#retry)
    clearTimeout(this.#grace)
  }

  /**
   * The channel delivers in order, so entries before a delivered one will not arrive any more. During a
   * repair, new entries may simply follow the ones that are being read.
   */
  #checkForGap(): void {
    if (this.#epoch !== undefined && !this.#repairing && this.#pending.has(this.#lastReceived)) this.catchUp()
  }

  #offer(epoch: string, entry: LogEntry): void {
    if (this.#closed) return
    if (this.#epoch !== undefined) {
      if (epoch !== this.#epoch) return this.catchUp()
      if (entry.seq <= this.#delivered) return this.#compare(entry)
    }
    if (this.#pending.size < PENDING_LIMIT) this.#pending.set(entry.seq, { epoch, entry })
    else this.#behind = true
    this.#flush()
  }

  /**
   * A different entry than the one delivered under this number: the store has lost its end and has grown
   * since.
   */
  #compare(entry: LogEntry): void {
    const known = this.#recent.get(entry.seq)
    if (known !== undefined && known !== '' && known !== proofOf(entry)) this.catchUp()
  }

  #flush(): void {
    if (this.#epoch === undefined || this.#repairing) return
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) this.#deliver(next)
    if (this.#behind && !this.#closed) void this.#repair()
  }

  #takeNext(): LogEntry | undefined {
    const seq = this.#delivered + 1
    const pending = this.#pending.get(seq)
    if (pending === undefined || this.#closed) return undefined
    this.#pending.delete(seq)
    if (pending.epoch === this.#epoch) return pending.entry
    this.#behind = true
    return undefined
  }

  #deliver(entry: LogEntry): void {
    this.#delivered = entry.seq
    this.#proof = proofOf(entry)
    this.#recent.set(entry.seq, this.#proof)
    this.#recent.delete(entry.seq - RECENT_LIMIT)
    this.#options.deliver(entry)
  }

  /** Gives the channel a little time to deliver entries in flight. */
  #expect(head: number): void {
    this.#expected = Math.max(this.#expected, head)
    this.#grace ??= setTimeout(() => {
      this.#grace = undefined
      const missing = this.#delivered < this.#expected
      this.#expected = 0
      if (missing) this.catchUp()
    }, GRACE_MS).unref()
  }

  async #repair(): Promise<void> {
    this.#repairing = true
    try {
      while (this.#behind && !this.#closed) await this.#readMissing()
      this.#pauseMs = FIRST_PAUSE_MS
      this.#repairing = false
      this.#flush()
      this.#checkForGap()
    } catch (error) {
      this.#tryLater(error)
    }
  }

  async #readMissing(): Promise<void> {
    const before = [...this.#pending.keys()]
    this.#behind = false
    const page = await this.#options.read({ after: this.#delivered, limit: REPAIR_PAGE })
    if (this.#closed) return
    if (page.epoch !== this.#epoch) return this.#reset(page)
    // Entries were trimmed meanwhile and cannot be delivered any more.
    if (page.first - 1 > this.#delivered) this.#moveTo(page.epoch, page.first - 1)
    if (page.entries.length > 0) this.#options.onRepair()
    for (const entry of page.entries) {
      if (!this.#closed && entry.seq === this.#delivered + 1) this.#deliver(entry)
    }
    for (const seq of before) if (seq > page.head) this.#dropUnknown(seq)
    this.#dropDelivered()
    if (page.more) this.#behind = true
  }

  /** An entry that arrived before the read and is not in the store does not belong to the log. */
  #dropUnknown(seq: number): void {
    this.#options.onUnknown()
    this.#pending.delete(seq)
  }

  #dropDelivered(): void {
    for (const seq of this.#pending.keys()) if (seq <= this.#delivered) this.#pending.delete(seq)
  }

  #reset({ epoch, head }: LogPage): void {
    for (const [seq, pending] of this.#pending) {
      if (pending.epoch !== epoch || seq <= head) this.#pending.delete(seq)
    }
    const delivered = this.#delivered
    this.#moveTo(epoch, head)
    this.#options.reset({ epoch, head, delivered })
  }

  #moveTo(epoch: string, head: number, newest?: LogEntry): void {
    this.#epoch = epoch
    this.#delivered = head
    this.#proof = newest?.seq === head ? proofOf(newest) : ''
    this.#recent.clear()
    this.#dropDelivered()
  }

  #tryLater(error: unknown): void {
    if (this.#closed) return
    this.#behind = true
    this.#options.onUnreadable(error)
    this.#retry = setTimeout(() => void this.#repair(), this.#pauseMs).unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }
}
