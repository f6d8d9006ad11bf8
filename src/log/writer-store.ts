/**
 * Keeps the log's environment open for writing, and runs one transaction at a time in it.
 *
 * After a failed commit nothing more is written through the same environment: LMDB does not recover from a
 * meta page that could not be written. The environment is closed and reopened with a growing delay. It counts
 * as working when a commit of its own has succeeded. The store does not know what is written.
 *
 * A process that opens the environment, even only to read, sets the shared transaction count to a value that
 * it read a moment before. If a commit happened in between, the next commit would be built on the state
 * before it and replace it: acked data would be lost (OpenLDAP's ITS#9496, which lmdb-js still has). So
 * nothing is written in a transaction that does not follow the newest commit; the count is corrected instead.
 * (Reopening the environment would also set it. But a process that closes it while another opens it may leave
 * that one with destroyed mutexes.)
 *
 * A process that exits while lmdb-js waits for a transaction would hang for ever: Node joins the thread that
 * waits for Node. An orderly exit closes the log first; for any other exit during that wait the process kills
 * itself.
 */
import { randomUUID } from 'node:crypto'
import { statfsSync } from 'node:fs'
import type { Logger } from 'pino'
import { RookeryError } from '../wire/errors.ts'
import {
  committedTransaction,
  EPOCH_KEY,
  FORMAT,
  FORMAT_KEY,
  openForWriting,
  type Tables,
} from './environment.ts'
import { LockFile } from './lock-file.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
/** Each retry needs another process that opens the environment during a commit. */
const MAX_RETRIES = 10
const PROBE_KEY = 'probe'
const SPACE_KEY = 'room'
/**
 * After a failure this much must fit in before the store counts as working. A full disk often takes a few
 * more pages, and the health would change many times per second.
 */
const SPACE_CHARS = 65_536

export interface WriterStoreOptions {
  directory: string
  /** If a commit takes longer, the store counts as failing until it is done. */
  stallMs: number
  logger: Logger
  onHealth(reason: string | null): void
  /** A transaction was repeated because it did not follow the newest commit. */
  onStaleTransaction(): void
}

/** The transaction does not follow the newest commit. */
class StaleTransaction extends Error {
  readonly newest: number

  constructor(newest: number) {
    super(`the transaction does not follow the newest commit, ${newest}`)
    this.newest = newest
  }
}

export class WriterStore {
  readonly #options: WriterStoreOptions
  #tables: Tables | null = null
  #lock: LockFile | null = null
  #broken: string | null = 'it has not been opened yet'
  #stalled = false
  #hasFailed = false
  #reported: string | null | undefined
  #pauseMs = FIRST_PAUSE_MS
  #retry: NodeJS.Timeout | undefined
  #opening: Promise<void> | undefined
  #closed = false
  /** lmdb-js was asked for a transaction and has not started it yet. */
  #isWaiting = false
  /** Number of the last checked transaction. If it wrote nothing, the next one has the same number. */
  #lastTransaction = 0
  readonly #onExit = () => {
    if (this.#isWaiting) process.kill(process.pid, 'SIGKILL')
  }

  constructor(options: WriterStoreOptions) {
    this.#options = options
  }

  /** Why commits fail; `null` if they are expected to work. */
  get reason(): string | null {
    if (this.#broken !== null) return this.#broken
    return this.#stalled ? `a commit takes longer than ${this.#options.stallMs} ms` : null
  }

  /** For reading. Throws while the environment can't be opened; available while it only can't be written. */
  tables(): Tables {
    if (this.#tables === null) throw new Error(this.#broken ?? 'it is closed')
    return this.#tables
  }

  unavailable(cause?: unknown): RookeryError {
    const retryAfterMs = Math.max(this.#pauseMs, FIRST_PAUSE_MS)
    return new RookeryError('unavailable', `the log cannot be written: ${this.reason ?? 'it is busy'}`, {
      retryAfterMs,
      cause,
    })
  }

  /** Tries once. After a failure, retries follow by themselves. */
  async open(): Promise<void> {
    process.on('exit', this.#onExit)
    this.#opening = this.#reopen()
    await this.#opening
  }

  /** Resolves when the writes of `work` are on disk. If it rejects, none of them are. */
  async commit<T>(work: (tables: Tables) => T): Promise<T> {
    if (this.reason !== null || this.#tables === null) throw this.unavailable()
    try {
      return await this.#onNewest(work)
    } catch (error) {
      this.#fail(await causeOf(error))
      throw this.unavailable(error)
    }
  }

  /** @returns how many were freed; 0 while the environment is not open */
  reapDeadReaders(): number {
    return this.#tables?.root.readerCheck() ?? 0
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#opening
    await this.#drop()
    this.#broken = 'it is closed'
    process.off('exit', this.#onExit)
  }

  async #onNewest<T>(work: (tables: Tables) => T): Promise<T> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await this.#transact(this.tables(), work)
      } catch (error) {
        if (!(error instanceof StaleTransaction) || retries === MAX_RETRIES) throw error
        this.#options.onStaleTransaction()
        this.#lock?.setTransaction(error.newest)
      }
    }
  }

  async #transact<T>(tables: Tables, work: (tables: Tables) => T): Promise<T> {
    const stall = setTimeout(() => {
      this.#stalled = true
      this.#report()
    }, this.#options.stallMs)
    this.#isWaiting = true
    try {
      // A child transaction, because lmdb-js commits the writes of a plain one even if its callback throws.
      return await tables.root.childTransaction(() => {
        this.#isWaiting = false
        this.#checkTransaction(tables.root.getWriteTxnId())
        return work(tables)
      })
    } finally {
      this.#isWaiting = false
      clearTimeout(stall)
      this.#stalled = false
      this.#report()
    }
  }

  /**
   * Reads the file only if the number does not simply follow: after a transaction without writes, and after
   * opening.
   */
  #checkTransaction(transaction: number): void {
    if (transaction !== this.#lastTransaction + 1) {
      const newest = committedTransaction(this.#options.directory)
      if (transaction !== newest + 1) throw new StaleTransaction(newest)
    }
    this.#lastTransaction = transaction
  }

  async #reopen(): Promise<void> {
    await this.#drop()
    try {
      this.#tables = openForWriting(this.#options.directory)
      this.#lock = LockFile.open(this.#options.directory)
      if (this.#hasFailed) {
        await this.#onNewest(reserveSpace)
        await this.#onNewest(releaseSpace)
      }
      // LMDB reuses freed space only after one more commit.
      await this.#onNewest(prepare)
    } catch (error) {
      this.#fail(await causeOf(error))
      return
    }
    this.#broken = null
    this.#hasFailed = false
    this.#pauseMs = FIRST_PAUSE_MS
    this.#report()
  }

  #fail(cause: unknown): void {
    this.#hasFailed = true
    this.#broken = explain(cause, this.#options.directory)
    this.#options.logger.error({ err: cause, reason: this.#broken }, 'the room log cannot be written')
    this.#report()
    if (this.#closed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#opening = this.#reopen()
    }, this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }

  #report(): void {
    const { reason } = this
    if (this.#reported !== undefined && (this.#reported === null) === (reason === null)) return
    this.#reported = reason
    this.#options.onHealth(reason)
  }

  async #drop(): Promise<void> {
    const tables = this.#tables
    this.#tables = null
    await tables?.root.close()
    this.#lock?.close()
    this.#lock = null
  }
}

function reserveSpace({ meta }: Tables): void {
  meta.putSync(SPACE_KEY, 'x'.repeat(SPACE_CHARS))
}

function releaseSpace({ meta }: Tables): void {
  meta.removeSync(SPACE_KEY)
}

/** A commit that changes nothing that is read. */
export function touch({ meta }: Pick<Tables, 'meta'>): void {
  const probe = meta.get(PROBE_KEY)
  meta.putSync(PROBE_KEY, typeof probe === 'number' ? probe + 1 : 1)
}

/** Proves that commits work, and initializes a new log. */
function prepare({ meta }: Tables): void {
  touch({ meta })
  if (meta.get(EPOCH_KEY) !== undefined) return
  meta.putSync(EPOCH_KEY, randomUUID())
  meta.putSync(FORMAT_KEY, FORMAT)
}

/** lmdb-js reports the cause of a failed commit through a promise on the error. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  try {
    await error.commitError
    return error
  } catch (cause) {
    return cause
  }
}

/** LMDB reports a full disk as 'Input/output error', because it sees a short write. */
function explain(cause: unknown, directory: string): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return isFull(directory) ? `no space left on the device (${text})` : text
}

function isFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize < FULL_BYTES
  } catch {
    // The disk can't be checked either: keep the first reason.
    return false
  }
}

const FULL_BYTES = 65_536
