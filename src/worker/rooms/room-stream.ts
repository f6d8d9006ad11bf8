/**
 * One subscription's view of a room: entries go in as the relay brings them, and come out dense. A hole is filled from
 * the log; what arrives meanwhile waits (bounded: past the bound it is dropped, and read from the log as well). While
 * the log cannot be read it is asked again, less and less often. A log that names another epoch than before is another
 * log: that is found out whenever it is looked at, so whoever learns of it has only to say `catchUp`.
 */
import type { Logger } from 'pino'
import type { Counter } from 'prom-client'
import type { LogThrottle } from '../../core/log-throttle.ts'
import type { RoomLogReader } from '../../log/room-log.ts'
import type { RoomListener } from '../../wire/app.ts'
import type { LogEntry } from '../../wire/entry.ts'

const REPAIR_PAGE = 200
const WAITING_LIMIT = 1_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8_000

export interface RoomStreamOptions {
  room: string
  listener: RoomListener
  reader: Pick<RoomLogReader, 'head' | 'read'>
  logger: Logger
  /** Shared by all rooms: one that cannot be read is seldom alone. */
  throttle: LogThrottle
  repairs: Counter
}

export class RoomStream {
  readonly listener: RoomListener
  readonly #options: RoomStreamOptions
  /** The sequence number that was delivered last; unknown until the start is known. */
  #delivered: number | undefined
  /** Of the log that `#delivered` counts in. */
  #epoch: string | undefined
  #repairing = false
  /** The newest sequence number heard of. */
  #heard = 0
  /** The log may have more than was heard of. */
  #behind = false
  #waiting: LogEntry[] = []
  #retry: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS
  #closed = false

  constructor(options: RoomStreamOptions) {
    this.#options = options
    this.listener = options.listener
  }

  /** Called when the host is subscribed: everything after the head of this moment will be delivered. */
  async start(): Promise<void> {
    const { epoch, head } = await this.#options.reader.head(this.#options.room)
    this.#epoch = epoch
    this.#delivered = head
    this.#flush()
  }

  push(entry: LogEntry): void {
    if (this.#closed) return
    this.#heard = Math.max(this.#heard, entry.seq)
    if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(entry)
    this.#goOn()
  }

  /** Some of what the log has published up to now was not brought: delivers that too. */
  catchUp(): void {
    if (this.#closed) return
    this.#behind = true
    this.#goOn()
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
    clearTimeout(this.#retry)
  }

  #goOn(): void {
    if (this.#delivered !== undefined && !this.#repairing) this.#flush()
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
    if (this.#closed) return
    if (this.#behind || this.#heard > (this.#delivered ?? 0)) void this.#repair()
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
      if (this.#behind) await this.#lookAhead()
      await this.#readMissing()
      this.#pauseMs = FIRST_PAUSE_MS
      this.#repairing = false
      this.#flush()
    } catch (error) {
      this.#tryLater(error)
    }
  }

  async #lookAhead(): Promise<void> {
    const { reader, room } = this.#options
    // What is said while the answer is on its way may be newer than the answer.
    this.#behind = false
    const { epoch, head } = await reader.head(room)
    if (this.#closed) return
    if (epoch === this.#epoch) this.#heard = Math.max(this.#heard, head)
    else this.#startOver(epoch, head)
  }

  /** What has come meanwhile may be of either log: the new one is looked at again. */
  #startOver(epoch: string, head: number): void {
    if (this.#waiting.length > 0) this.#behind = true
    this.#waiting = []
    this.#epoch = epoch
    this.#delivered = head
    this.#heard = head
    this.listener.reset?.(epoch, head)
  }

  #tryLater(error: unknown): void {
    if (this.#closed) return
    this.#behind = true
    const { logger, throttle, room } = this.#options
    throttle.run((heldBack) =>
      logger.warn({ err: error, room, heldBack }, 'a hole could not be read from the log yet'),
    )
    this.#retry = setTimeout(() => void this.#repair(), this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }

  async #readMissing(): Promise<void> {
    const { reader, room } = this.#options
    const until = this.#waiting[0] === undefined ? this.#heard : this.#waiting[0].seq - 1
    while (!this.#closed && (this.#delivered ?? 0) < until) {
      const page = await reader.read(room, { after: this.#delivered ?? 0, limit: REPAIR_PAGE })
      if (this.#closed) return
      if (page.epoch !== this.#epoch) return this.#startOver(page.epoch, page.head)
      if (page.entries.length > 0) this.#deliver(page.entries)
      // Retention was faster than the repair: what is gone cannot be delivered any more.
      else if (page.first - 1 > (this.#delivered ?? 0)) this.#delivered = page.first - 1
      else throw new Error(`entries after ${this.#delivered} are not in the log`)
    }
  }
}
