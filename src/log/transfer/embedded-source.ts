/** Reads the whole embedded log of a data directory from one snapshot, whether its host runs or not. */
import type { Transaction } from 'lmdb'
import { EPOCH_KEY, openForReading, type RoomRecord, type StoredEntry, type Tables } from '../environment.ts'
import type { EntryLine, ExportedRoom, LogSource, RoomLine, UserLine } from './lines.ts'

const BATCH_ENTRIES = 500

/** @throws if there is no log, or it can't be read */
export function openEmbeddedSource(directory: string): LogSource {
  const tables = openForReading(directory)
  const transaction = tables.root.useReadTransaction()
  const epoch = tables.meta.get(EPOCH_KEY, { transaction })
  if (typeof epoch !== 'string') throw new Error('the log has no epoch: its host has never got it ready')
  const snapshot = { tables, transaction, epoch }
  return {
    rooms: () => rooms(snapshot),
    users: () => users(snapshot),
    close: async () => {
      transaction.done()
      await tables.root.close()
    },
  }
}

interface Snapshot {
  tables: Tables
  transaction: Transaction
  epoch: string
}

async function* rooms(snapshot: Snapshot): AsyncGenerator<ExportedRoom> {
  const { tables, transaction, epoch } = snapshot
  for (const { key, value } of tables.rooms.getRange({ transaction })) {
    yield { line: toRoomLine(key, value, epoch), entries: () => entries(snapshot, key, value) }
  }
}

function toRoomLine(room: string, record: RoomRecord, logEpoch: string): RoomLine {
  const { head, first, at, texts, trimmedTexts, epoch = logEpoch } = record
  return { type: 'room', room, epoch, head, first, at, texts, trimmedTexts }
}

async function* entries(
  { tables, transaction }: Snapshot,
  room: string,
  { head, first }: RoomRecord,
): AsyncGenerator<EntryLine[]> {
  for (let start = first; start <= head; start += BATCH_ENTRIES) {
    const end = Math.min(head + 1, start + BATCH_ENTRIES)
    const range = tables.entries.getRange({ start: [room, start], end: [room, end], transaction })
    yield [...range].map(({ key, value }) => {
      const digest = tables.ids.get([room, value.from.id, value.id], { transaction })?.digest ?? ''
      return toEntryLine(key[1], value, digest)
    })
  }
}

function toEntryLine(
  seq: number,
  { id, kind, from, text, target, data, at, texts }: StoredEntry,
  digest: string,
): EntryLine {
  const line: EntryLine = { type: 'entry', seq, id, kind, from, at, texts, digest }
  if (text !== undefined) line.text = text
  if (target !== undefined) line.target = target
  if (data !== undefined) line.data = data
  return line
}

async function* users({ tables, transaction }: Snapshot): AsyncGenerator<UserLine> {
  let user: UserLine | undefined
  for (const { key, value } of tables.userRooms.getRange({ transaction })) {
    const [userId, room] = key
    if (user?.user !== userId) {
      if (user !== undefined) yield user
      user = { type: 'user', user: userId, rooms: [] }
    }
    user.rooms.push({ room, read: value })
  }
  if (user !== undefined) yield user
}
