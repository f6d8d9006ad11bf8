/**
 * The log of this host as other processes read it: LMDB read-only, straight from the memory map. It is opened at the
 * first look, and again after a failed one, so a reader may be made before the writer has the log ready.
 */
import { openForReading, type Tables } from './environment.ts'
import { LogView, type TableSource } from './log-view.ts'
import type { RoomLogReader } from './room-log.ts'

export async function openEmbeddedReader({ directory }: { directory: string }): Promise<RoomLogReader> {
  const source = new ReadOnlySource(directory)
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
  #tables: Tables | null = null
  #closed = false

  constructor(directory: string) {
    this.#directory = directory
  }

  tables(): Tables {
    if (this.#closed) throw new Error('it is closed')
    this.#tables ??= openForReading(this.#directory)
    return this.#tables
  }

  failed(): void {
    void this.#drop()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  async #drop(): Promise<void> {
    const tables = this.#tables
    this.#tables = null
    await tables?.root.close()
  }
}
