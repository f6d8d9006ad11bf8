/**
 * Retention: trims entries beyond a room's limit, and entries that are too old. Runs inside the writer's
 * transaction. All data of an entry is removed, including its message id: the same id sent later is a new
 * message.
 */
import type { RoomRecord, Tables } from './environment.ts'

/** Limit of entries trimmed by one append. After a setting was lowered, rooms shrink as they are used. */
const TRIMMED_PER_APPEND = 8

/** @returns the new record; the caller stores it */
export function trimExcess(tables: Tables, room: string, record: RoomRecord, keep: number): RoomRecord {
  const excess = record.head - record.first + 1 - keep
  return trimOldest(tables, room, record, Math.min(excess, TRIMMED_PER_APPEND))
}

/** Trims entries older than `cutoffMs`, at most `budget` of them. */
export function trimAged(
  tables: Tables,
  room: string,
  record: RoomRecord,
  { cutoffMs, budget }: { cutoffMs: number; budget: number },
): RoomRecord {
  let aged = 0
  const range = { start: [room, record.first], end: [room, record.head + 1], limit: budget }
  for (const { value } of tables.entries.getRange(range)) {
    if (value.at >= cutoffMs) break
    aged += 1
  }
  return trimOldest(tables, room, record, aged)
}

export function hasAged(tables: Tables, room: string, record: RoomRecord, cutoffMs: number): boolean {
  if (record.first > record.head) return false
  const oldest = tables.entries.get([room, record.first])
  return oldest !== undefined && oldest.at < cutoffMs
}

function trimOldest(tables: Tables, room: string, record: RoomRecord, count: number): RoomRecord {
  const kept = { ...record }
  for (let left = count; left > 0; left -= 1) {
    trimEntry(tables, room, kept)
    kept.first += 1
  }
  return kept
}

function trimEntry(tables: Tables, room: string, record: RoomRecord): void {
  const seq = record.first
  const entry = tables.entries.get([room, seq])
  if (entry === undefined) throw new Error(`room ${room} has a hole at ${seq}`)
  tables.entries.removeSync([room, seq])
  tables.ids.removeSync([room, entry.from.id, entry.id])
  if (entry.kind === 'text') record.trimmedTexts += 1
  if (entry.kind === 'text') tables.removed.removeSync([room, seq])
  if (entry.kind === 'edit' && entry.target !== undefined) {
    tables.edits.removeSync([room, entry.target, seq])
  }
}
