/**
 * Imports rooms into the embedded log of a data directory on which no host runs. Entries are written in
 * batches. The room's record, message ids and indexes, which make them visible, are written in one
 * transaction at the end.
 */
import { randomUUID } from 'node:crypto'
import {
  EPOCH_KEY,
  FORMAT,
  FORMAT_KEY,
  openForWriting,
  type StoredEntry,
  type StoredId,
  type Tables,
} from '../environment.ts'
import type { EntryLine, LogTarget, RoomImport, RoomLine } from './lines.ts'

/** @throws if it can't be written */
export function openEmbeddedTarget(directory: string): LogTarget {
  const tables = openForWriting(directory)
  tables.root.transactionSync(() => {
    if (tables.meta.get(EPOCH_KEY) !== undefined) return
    tables.meta.putSync(EPOCH_KEY, randomUUID())
    tables.meta.putSync(FORMAT_KEY, FORMAT)
  })
  return {
    begin: async (line) =>
      (tables.rooms.get(line.room)?.head ?? 0) > 0 ? null : new EmbeddedRoomImport(tables, line),
    putUser: async ({ user, rooms }) => {
      tables.root.transactionSync(() => {
        for (const { room, read } of rooms) {
          const known = tables.userRooms.get([user, room])
          tables.userRooms.putSync([user, room], Math.max(known ?? 0, read))
        }
      })
    },
    close: () => tables.root.close(),
  }
}

class EmbeddedRoomImport implements RoomImport {
  readonly #tables: Tables
  readonly #line: RoomLine
  #ids: { key: [string, string, string]; value: StoredId }[] = []
  #edits: [string, number, number][] = []
  #removed: [string, number][] = []
  #put: number[] = []

  constructor(tables: Tables, line: RoomLine) {
    this.#tables = tables
    this.#line = line
  }

  async put(lines: readonly EntryLine[]): Promise<void> {
    const { room } = this.#line
    this.#tables.root.transactionSync(() => {
      for (const line of lines) this.#tables.entries.putSync([room, line.seq], toStored(line))
    })
    for (const line of lines) this.#index(room, line)
  }

  async finish(): Promise<void> {
    const { type: _, room, ...record } = this.#line
    const { root, rooms, ids, edits, removed } = this.#tables
    root.transactionSync(() => {
      for (const { key, value } of this.#ids) ids.putSync(key, value)
      for (const key of this.#edits) edits.putSync(key, 1)
      for (const key of this.#removed) removed.putSync(key, 1)
      rooms.putSync(room, record)
    })
  }

  async abandon(): Promise<void> {
    this.#tables.root.transactionSync(() => {
      for (const seq of this.#put) this.#tables.entries.removeSync([this.#line.room, seq])
    })
  }

  #index(room: string, { seq, id, kind, from, target, text, at, digest }: EntryLine): void {
    this.#put.push(seq)
    this.#ids.push({ key: [room, from.id, id], value: { seq, at, digest } })
    if (kind === 'edit' && target !== undefined) this.#edits.push([room, target, seq])
    if (kind === 'text' && text === undefined) this.#removed.push([room, seq])
  }
}

function toStored({ id, kind, from, text, target, data, at, texts }: EntryLine): StoredEntry {
  const stored: StoredEntry = { id, kind, from, at, texts }
  if (text !== undefined) stored.text = text
  if (target !== undefined) stored.target = target
  if (data !== undefined) stored.data = data
  return stored
}
