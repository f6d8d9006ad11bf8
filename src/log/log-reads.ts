/** Queries on the log's tables, for the writer and for readers in other processes. Never writes. */
import type { LogEntry } from '../wire/entry.ts'
import { AFTER_ROOM_NAMES, EPOCH_KEY, type RoomRecord, type StoredEntry, type Tables } from './environment.ts'
import type { HeadInfo, LogPage, ReadRange, UserRoom } from './room-log.ts'

const emptyRoom: RoomRecord = { head: 0, first: 1, at: 0, texts: 0, trimmedTexts: 0 }

/** The data of one room is inconsistent. Other rooms are not affected. */
export class RoomDamage extends Error {}

export function roomRecord(tables: Tables, room: string): RoomRecord {
  return tables.rooms.get(room) ?? { ...emptyRoom }
}

export function readHead(tables: Tables, room: string): HeadInfo {
  const epoch = tables.meta.get(EPOCH_KEY)
  if (typeof epoch !== 'string') throw new Error('it has no epoch yet')
  const { head, first, epoch: own = epoch } = roomRecord(tables, room)
  return { epoch: own, head, first }
}

export function readPage(tables: Tables, room: string, range: ReadRange): LogPage {
  const info = readHead(tables, room)
  const { start, end, more } = pageBounds(info, range)
  const entries: LogEntry[] = []
  for (const { key, value } of tables.entries.getRange({ start: [room, start], end: [room, end + 1] })) {
    entries.push(toLogEntry(room, key[1], value))
  }
  if (entries.length !== Math.max(0, end - start + 1))
    throw new RoomDamage(`room ${room} has a hole in ${start}-${end}`)
  return { ...info, entries, more }
}

/** From `start` to `end`, both included; empty if `end < start`. */
function pageBounds(
  { head, first }: HeadInfo,
  range: ReadRange,
): { start: number; end: number; more: boolean } {
  if ('after' in range) {
    const start = Math.max(range.after + 1, first)
    const end = Math.min(head, start + range.limit - 1)
    return { start, end, more: end < head && start <= head }
  }
  const end = Math.min(head, 'before' in range ? range.before - 1 : head)
  const start = Math.max(first, end - range.limit + 1)
  return { start, end, more: start > first && end >= first }
}

export function toLogEntry(room: string, seq: number, stored: StoredEntry): LogEntry {
  const { id, kind, from, text, target, data, at } = stored
  const entry: LogEntry = { room, seq, id, kind, from, at }
  if (text !== undefined) entry.text = text
  if (target !== undefined) entry.target = target
  if (data !== undefined) entry.data = data
  return entry
}

export function readUserRooms(tables: Tables, userId: string): UserRoom[] {
  const own = tables.userRooms.getRange({ start: [userId], end: [userId, AFTER_ROOM_NAMES] })
  return [...own].map(({ key: [, room], value: read }) => {
    const record = roomRecord(tables, room)
    return { room, head: record.head, read, unread: unreadTexts(tables, room, { record, read }) }
  })
}

/** Kept texts after `read`, without removed ones. Two look-ups, and a scan over removed texts only. */
function unreadTexts(
  tables: Tables,
  room: string,
  { record, read }: { record: RoomRecord; read: number },
): number {
  if (read >= record.head) return 0
  const upTo = read < record.first ? record.trimmedTexts : (tables.entries.get([room, read])?.texts ?? 0)
  const removed = tables.removed.getKeysCount({ start: [room, read + 1], end: [room, record.head + 1] })
  return record.texts - upTo - removed
}
