/**
 * The transaction count in LMDB's lock file: the number of the newest commit, shared by all processes. The
 * next transaction and every reader find their state by it. This class corrects the count after another
 * process has set it back (see writer-store).
 *
 * When a process closes any descriptor of a file, POSIX releases all its locks on that file, and LMDB's locks
 * are on this file. So it is opened after the environment and closed after it.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'lock.mdb'
const MAGIC = 0xbeefc0de
/** After magic number and format, 4 bytes each. */
const COUNT_AT = 8
const COUNT_END = COUNT_AT + 8

export class LockFile {
  readonly #file: number

  private constructor(file: number) {
    this.#file = file
  }

  /** Throws the error of the file system, or if the file is not a lock file of LMDB. */
  static open(directory: string): LockFile {
    const file = openSync(join(directory, NAME), 'r+')
    const lock = new LockFile(file)
    if (lock.#isLmdb()) return lock
    throw new Error(`${NAME} does not start like a lock file`)
  }

  /**
   * Must not be called inside a transaction of this process. Writes one aligned word of a page that all
   * processes map.
   */
  setTransaction(newest: number): void {
    const word = Buffer.alloc(COUNT_END - COUNT_AT)
    word.writeBigUInt64LE(BigInt(newest))
    writeSync(this.#file, word, 0, word.length, COUNT_AT)
  }

  close(): void {
    closeSync(this.#file)
  }

  #isLmdb(): boolean {
    const start = Buffer.alloc(COUNT_END)
    return readSync(this.#file, start, 0, COUNT_END, 0) === COUNT_END && start.readUInt32LE(0) === MAGIC
  }
}
