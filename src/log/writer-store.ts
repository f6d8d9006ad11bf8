/**
 * Keeps the log's environment open for writing, and carries out one transaction at a time in it.
 *
 * After a failed commit nothing more is written through the same environment: a meta page that could not be written
 * leaves LMDB in a state that it does not come back from. It is closed, opened anew with a growing pause, and counts
 * as working when a commit of its own has gone through. It knows nothing of what is written.
 *
 * A process that opens the environment, if only to read, sets the count of transactions that all share to what it had read a
 * moment before. If a commit came between, the next one would be built on the state before that, and take its place: what was
 * acked would be gone (OpenLDAP's ITS#9496, which lmdb-js still has). So nothing is written in a transaction that does
 * not follow the newest commit; the count is set right instead. (Opening the environment anew would set it too. But who closes
 * it while another opens it can leave that one with destroyed mutexes.)
 *
 * A process that exits while lmdb-js waits to be let into a transaction would hang for ever: Node joins the thread that
 * waits for Node. Whoever leaves in order closes the log first; for any other exit the process kills itself then.
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
/** Each needs a process that opens the environment during one commit. */
const MAX_RETRIES = 10
const PROBE_KEY = 'probe'
const SPACE_KEY = 'room'
/**
 * Of a store that has failed so much has to fit in before it counts as working. A full one often takes a few pages more,
 * and would be told to work and to fail by turns, many times a second.
 */
const SPACE_CHARS = 65_536

export interface WriterStoreOptions {
  directory: string
  /** A commit that takes longer counts as failing until it is through. */
  stallMs: number
  logger: Logger
  onHealth(reason: string | null): void
  /** A commit was not built on a state that is not the newest. */
  onStaleTransaction(): void
}

/** The transaction that has begun does not follow the newest commit. */
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
  /** lmdb-js has been asked for a transaction, and has not let us into it yet. */
  #isWaiting = false
  /** Number of the last transaction that was let in; it may have written nothing, and then has left its number to the next. */
  #lastTransaction = 0
  readonly #onExit = () => {
    if (this.#isWaiting) process.kill(process.pid, 'SIGKILL')
  }

  constructor(options: WriterStoreOptions) {
    this.#options = options
  }

  /** `null` while commits are expected to work. */
  get reason(): string | null {
    if (this.#broken !== null) return this.#broken
    return this.#stalled ? `a commit takes longer than ${this.#options.stallMs} ms` : null
  }

  /** For reading. Throws while the environment can't be opened; stays there while it only can't be written. */
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

  /** One try. When it fails, more follow by themselves. */
  async open(): Promise<void> {
    process.on('exit', this.#onExit)
    this.#opening = this.#reopen()
    await this.#opening
  }

  /** Resolves when what `work` wrote is on disk. When it rejects, nothing of it is. */
  async commit<T>(work: (tables: Tables) => T): Promise<T> {
    if (this.reason !== null || this.#tables === null) throw this.unavailable()
    try {
      return await this.#onNewest(work)
    } catch (error) {
      this.#fail(await causeOf(error))
      throw this.unavailable(error)
    }
  }

  /** @returns how many there were; none are looked for while the environment is not open */
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
      // A child transaction, because lmdb-js commits what a plain one has written before its callback threw.
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

  /** The file is asked only where the number does not just follow: after a transaction that wrote nothing, and after an opening. */
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
      // LMDB uses again what was given back only after one more commit.
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

/** Changes nothing that anybody reads, and is a commit all the same. */
export function touch({ meta }: Pick<Tables, 'meta'>): void {
  const probe = meta.get(PROBE_KEY)
  meta.putSync(PROBE_KEY, typeof probe === 'number' ? probe + 1 : 1)
}

/** Proves that commits work, and makes a new log what it is. */
function prepare({ meta }: Tables): void {
  touch({ meta })
  if (meta.get(EPOCH_KEY) !== undefined) return
  meta.putSync(EPOCH_KEY, randomUUID())
  meta.putSync(FORMAT_KEY, FORMAT)
}

/** lmdb-js tells what went wrong in a commit through a promise on the error. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  try {
    await error.commitError
    return error
  } catch (cause) {
    return cause
  }
}

/** LMDB says 'Input/output error' of a full disk, because what it sees is a short write. */
function explain(cause: unknown, directory: string): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return isFull(directory) ? `no space left on the device (${text})` : text
}

function isFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize < FULL_BYTES
  } catch {
    // It cannot be asked either: then the first reason has to do.
    return false
  }
}

const FULL_BYTES = 65_536
