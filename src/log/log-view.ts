/** Read access to the embedded log, over the tables that the owner currently has open. */
import { RookeryError } from '../wire/errors.ts'
import type { Tables } from './environment.ts'
import { RoomDamage, readHead, readPage, readUserRooms } from './log-reads.ts'
import type { HeadInfo, LogPage, ReadRange, UserRoom } from './room-log.ts'

export interface TableSource {
  /** Throws while no tables are open. */
  tables(): Tables
  /** The tables could not be opened or read. */
  failed(error: unknown): void
}

export class LogView {
  readonly #source: TableSource

  constructor(source: TableSource) {
    this.#source = source
  }

  async head(room: string): Promise<HeadInfo> {
    return this.#read((tables) => readHead(tables, room))
  }

  async read(room: string, range: ReadRange): Promise<LogPage> {
    return this.#read((tables) => readPage(tables, room, range))
  }

  async userRooms(userId: string): Promise<UserRoom[]> {
    return this.#read((tables) => readUserRooms(tables, userId))
  }

  /**
   * One read is one snapshot. lmdb-js keeps a snapshot until the next turn of the event loop: it is dropped
   * first, so that the read sees everything announced before.
   */
  #read<T>(read: (tables: Tables) => T): T {
    try {
      const tables = this.#source.tables()
      tables.root.resetReadTxn()
      return read(tables)
    } catch (error) {
      if (error instanceof RoomDamage) throw new RookeryError('internal', error.message, { cause: error })
      this.#source.failed(error)
      throw unreadable(error)
    }
  }
}

const RETRY_MS = 1_000

function unreadable(error: unknown): RookeryError {
  const reason = error instanceof Error ? error.message : String(error)
  return new RookeryError('unavailable', `the log cannot be read: ${reason}`, {
    retryAfterMs: RETRY_MS,
    cause: error,
  })
}
