/**
 * One subscription's view of a room: entries go in as the relay brings them, and come out dense. A hole is filled from
 * the log; what arrives meanwhile waits (bounded: past the bound it is dropped, and read from the log as well).
 */
import type { Logger } from 'pino'
import type { Counter } from 'prom-client'
import type { RoomLogReader } from '../log/room-log.ts'
import type { RoomListener } from '../wire/app.ts'
import type { LogEntry } from '../wire/entry.ts'

const REPAIR_PAGE = 200
const WAITING_LIMIT = 1_000
const RETRY_AFTER_MS = 250

export interface RoomStreamOptions {
  room: string
  listener: RoomListener
  reader: RoomLogReader
  logger: Logger
  repairs: Counter
}

export class RoomStream {
  readonly listener: RoomListener
  readonly #options: RoomStreamOptions
  /** The sequence number that was delivered last; unknown until the start is known. */
  #delivered: number | undefined
  #repairing = false
  /** The newest sequence number heard of. */
  #heard = 0
  #waiting: LogEntry[] = []
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: RoomStreamOptions) {
    this.#options = options
    this.listener = options.listener
  }

  /** Called when the host is subscribed: everything after the head of this moment will be delivered. */
  async start(): Promise<void> {
    const { head } = await this.#options.reader.head(this.#options.room)
    this.#delivered = head
    this.#flush()
  }

  push(entry: LogEntry): void {
    if (this.#closed) return
    this.#heard = Math.max(this.#heard, entry.seq)
    if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(entry)
    if (this.#delivered !== undefined && !this.#repairing) this.#flush()
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
    clearTimeout(this.#retry)
  }

  /** Delivers what follows on what was delivered; starts a repair where something is missing. */
  #flush(): void {
    const ready: LogEntry[] = []
    let next = (this.#delivered ?? 0) + 1
    let rest = 0
    for (const entry of this.#waiting) {
      if (entry.seq > next) break
      rest += 1
      if (entry.seq < next) continue
      ready.push(entry)
      next += 1
    }
    this.#waiting.splice(0, rest)
    this.#deliver(ready)
    if (this.#heard > (this.#delivered ?? 0) && !this.#closed) void this.#repair()
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
      await this.#readMissing()
      this.#repairing = false
      this.#flush()
    } catch (error) {
      this.#options.logger.warn(
        { err: error, room: this.#options.room },
        'a hole could not be read from the log yet',
      )
      this.#retry = setTimeout(() => void this.#repair(), RETRY_AFTER_MS)
      this.#retry.unref()
    }
  }

  async #readMissing(): Promise<void> {
    const { reader, room } = this.#options
    const until = this.#waiting[0] === undefined ? this.#heard : this.#waiting[0].seq - 1
    while (!this.#closed && (this.#delivered ?? 0) < until) {
      const page = await reader.read(room, { after: this.#delivered ?? 0, limit: REPAIR_PAGE })
      if (this.#closed) return
      if (page.entries.length > 0) this.#deliver(page.entries)
      // Retention was faster than the repair: what is gone cannot be delivered any more.
      else if (page.first - 1 > (this.#delivered ?? 0)) this.#delivered = page.first - 1
      else throw new Error(`entries after ${this.#delivered} are not in the log`)
    }
  }
}
