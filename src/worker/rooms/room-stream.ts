/**
 * One subscription to a room. Takes entries as the relay delivers them and passes them on in order without
 * gaps. A gap is filled from the log; entries that arrive meanwhile wait in a bounded buffer, and those
 * beyond the bound are read from the log too. When the log can't be read, the read is retried with growing
 * delays. A changed epoch means that the log is another one; every read checks it, so after an epoch change
 * `catchUp` is enough.
 */
import type { Logger } from 'pino'
import type { Counter } from 'prom-client'
import type { LogThrottle } from '../../core/log-throttle.ts'
import type { RoomLogReader } from '../../log/room-log.ts'
import type { RoomListener } from '../../wire/app.ts'
import type { LogEntry } from '../../wire/entry.ts'

/** Entries per read. */
const REPAIR_PAGE = 200
const BUFFERED_MAX = 1_000
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 8_000

export interface RoomStreamOptions {
  room: string
  listener: RoomListener
  reader: Pick<RoomLogReader, 'head' | 'read'>
  logger: Logger
  /** Shared by all rooms: usually many can't be read at the same time. */
  throttle: LogThrottle
  repairs: Counter
}

export class RoomStream {
  readonly listener: RoomListener
  readonly #options: RoomStreamOptions
  /** The last delivered sequence number. Unknown until `start` has read the head. */
  #delivered: number | undefined
  /** The epoch of the log that `#delivered` belongs to. */
  #epoch: string | undefined
  #repairing = false
  /** The highest sequence number seen. */
  #highest = 0
  /** The log may have entries above `#highest`. */
  #behind = false
  #buffered: LogEntry[] = []
  #retry: NodeJS.Timeout | undefined
  #delayMs = FIRST_DELAY_MS
  #closed = false

  constructor(options: RoomStreamOptions) {
    this.#options = options
    this.listener = options.listener
  }

  /** Call when the host is subscribed. Delivers everything after the present head. */
  async start(): Promise<void> {
    const { epoch, head } = await this.#options.reader.head(this.#options.room)
    this.#epoch = epoch
    this.#delivered = head
    this.#flush()
  }

  push(entry: LogEntry): void {
    if (this.#closed) return
    this.#highest = Math.max(this.#highest, entry.seq)
    if (this.#buffered.length < BUFFERED_MAX) this.#buffered.push(entry)
    this.#flushIfIdle()
  }

  /** Call when published entries may have been dropped: reads and delivers them. */
  catchUp(): void {
    if (this.#closed) return
    this.#behind = true
    this.#flushIfIdle()
  }

  close(): void {
    this.#closed = true
    this.#buffered = []
    clearTimeout(this.#retry)
  }

  #flushIfIdle(): void {
    if (this.#delivered !== undefined && !this.#repairing) this.#flush()
  }

  /** Delivers the buffered entries that follow without a gap. Starts a repair when entries are missing. */
  #flush(): void {
    const ready: LogEntry[] = []
    let next = (this.#delivered ?? 0) + 1
    let rest = 0
    for (const entry of this.#buffered) {
      if (entry.seq > next) break
      rest += 1
      if (entry.seq < next) continue
      ready.push(entry)
      next += 1
    }
    this.#buffered.splice(0, rest)
    this.#deliver(ready)
    if (this.#closed) return
    if (this.#behind || this.#highest > (this.#delivered ?? 0)) void this.#repair()
  }

  #deliver(entries: LogEntry[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    this.#delivered = last.seq
    this.listener.entries(entries)
  }

  async #repair(): Promise<void> {
    this.#repairing = true
    this.#options.repairs.inc()
    try {
      if (this.#behind) await this.#readHead()
      await this.#readMissing()
      this.#delayMs = FIRST_DELAY_MS
      this.#repairing = false
      this.#flush()
    } catch (error) {
      this.#scheduleRetry(error)
    }
  }

  async #readHead(): Promise<void> {
    const { reader, room } = this.#options
    // Reset before the read: a `catchUp` during the read may mean entries newer than its result.
    this.#behind = false
    const { epoch, head } = await reader.head(room)
    if (this.#closed) return
    if (epoch === this.#epoch) this.#highest = Math.max(this.#highest, head)
    else this.#switchLog(epoch, head)
  }

  /** Buffered entries may belong to either log, so they are dropped and the new log is read again. */
  #switchLog(epoch: string, head: number): void {
    if (this.#buffered.length > 0) this.#behind = true
    this.#buffered = []
    this.#epoch = epoch
    this.#delivered = head
    this.#highest = head
    this.listener.reset?.(epoch, head)
  }

  #scheduleRetry(error: unknown): void {
    if (this.#closed) return
    this.#behind = true
    const { logger, throttle, room } = this.#options
    throttle.run((heldBack) =>
      logger.warn({ err: error, room, heldBack }, 'missing entries could not be read from the log yet'),
    )
    this.#retry = setTimeout(() => void this.#repair(), this.#delayMs)
    this.#retry.unref()
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS)
  }

  async #readMissing(): Promise<void> {
    const { reader, room } = this.#options
    const until = this.#buffered[0] === undefined ? this.#highest : this.#buffered[0].seq - 1
    while (!this.#closed && (this.#delivered ?? 0) < until) {
      const page = await reader.read(room, { after: this.#delivered ?? 0, limit: REPAIR_PAGE })
      if (this.#closed) return
      if (page.epoch !== this.#epoch) return this.#switchLog(page.epoch, page.head)
      if (page.entries.length > 0) this.#deliver(page.entries)
      // Retention has removed the missing entries: they can't be delivered any more.
      else if (page.first - 1 > (this.#delivered ?? 0)) this.#delivered = page.first - 1
      else throw new Error(`entries after ${this.#delivered} are not in the log`)
    }
  }
}
