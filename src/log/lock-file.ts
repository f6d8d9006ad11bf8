/**
 * LMDB's lock file, as far as the count of transactions goes that all processes share: the number of the newest commit, from which
 * the next transaction and every reader find their state. It is set right here after another process has turned it
 * back (writer-store says how that comes).
 *
 * POSIX takes all of a process's locks on a file away as soon as it closes any descriptor of that file, and LMDB's are
 * on this one: it is opened after the environment, and closed after it.
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

  /** Throws what the file system says, or when this is no lock file of LMDB's. */
  static open(directory: string): LockFile {
    const file = openSync(join(directory, NAME), 'r+')
    const lock = new LockFile(file)
    if (lock.#isLmdb()) return lock
    throw new Error(`${NAME} does not start like a lock file`)
  }

  /** In no transaction of this process's. The bytes are one aligned word of a page that all of them have mapped. */
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
