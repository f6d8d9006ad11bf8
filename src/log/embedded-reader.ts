/**
 * The log of this host as other processes read it: LMDB read-only, straight from the memory map. It is opened at once, or at the
 * first look where it is not there yet, so a reader may be made before the writer has the log ready, and again after a failed one, but less and
 * less often while that does not help.
 */
import { LogNotCreated, openForReading, type Tables } from './environment.ts'
import { LogView, type TableSource } from './log-view.ts'
import type { RoomLogReader } from './room-log.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 8_000

export interface EmbeddedReaderOptions {
  directory: string
  /** Milliseconds that never go back. */
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

  /** Whoever reads first does not wait, and the writer hears of all readers before they are used. */
  openEarly(): void {
    try {
      this.tables()
    } catch {
      // It is tried again at the first look, which tells why it fails.
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

  /** The pause grows with every failure that comes soon after the one before. */
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
