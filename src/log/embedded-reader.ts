/**
 * The log of this host for other processes: LMDB read-only, directly from the memory map. It is opened at
 * once, or at the first read if the writer has not created it yet. After a failed read it is opened again,
 * with a growing delay.
 */
import { LogNotCreated, openForReading, type Tables } from './environment.ts'
import { LogView, type TableSource } from './log-view.ts'
import type { RoomLogReader } from './room-log.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8_000

export interface EmbeddedReaderOptions {
  directory: string
  /** Monotonic milliseconds. */
  nowMs?: () => number
}

export async function openEmbeddedReader(options: EmbeddedReaderOptions): Promise<RoomLogReader> {
  const source = new ReadOnlySource(options.directory, options.nowMs ?? (() => performance.now()))
  source.openEarly()
  const view = new LogView(source)
  return {
    head: (room) => view.head(room),
    read: (room, range) => view.read(room, range),
    userRooms: (userId) => view.userRooms(userId),
    close: () => source.close(),
  }
}

class ReadOnlySource implements TableSource {
  readonly #directory: string
  readonly #nowMs: () => number
  #tables: Tables | null = null
  #closed = false
  #pauseMs = FIRST_PAUSE_MS
  #failed: { error: unknown; atMs: number } | undefined

  constructor(directory: string, nowMs: () => number) {
    this.#directory = directory
    this.#nowMs = nowMs
  }

  tables(): Tables {
    if (this.#closed) throw new Error('it is closed')
    this.#tables ??= this.#open()
    return this.#tables
  }

  /** So that the first read does not wait, and the writer knows all readers before they are used. */
  openEarly(): void {
    try {
      this.tables()
    } catch {
      // Tried again at the first read, which reports the error.
    }
  }

  failed(error: unknown): void {
    if (this.#tables === null) return
    this.#backOff(error)
    void this.#drop()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  #open(): Tables {
    if (this.#failed !== undefined && this.#nowMs() < this.#failed.atMs + this.#pauseMs)
      throw this.#failed.error
    try {
      return openForReading(this.#directory)
    } catch (error) {
      if (!(error instanceof LogNotCreated)) this.#backOff(error)
      throw error
    }
  }

  /** The delay grows with every failure that follows soon after another. */
  #backOff(error: unknown): void {
    const nowMs = this.#nowMs()
    const again = this.#failed !== undefined && nowMs < this.#failed.atMs + 2 * LONGEST_PAUSE_MS
    this.#pauseMs = again ? Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
    this.#failed = { error, atMs: nowMs }
  }

  async #drop(): Promise<void> {
    const tables = this.#tables
    this.#tables = null
    await tables?.root.close()
  }
}
