/**
 * Retention: trims entries beyond a room's limit, and entries that are too old. Runs inside the writer's
 * transaction. All data of an entry is removed, including its message id: the same id sent later is a new
 * message.
 */
import { CLOCK_STEP_MS } from '../core/clock-filter.ts'
import type { RoomRecord, Tables } from './environment.ts'

/** Limit of entries trimmed by one append. After a setting was lowered, rooms shrink as they are used. */
const TRIMMED_PER_APPEND = 8

/** @returns the new record; the caller stores it */
export function trimExcess(tables: Tables, room: string, record: RoomRecord, keep: number): RoomRecord {
  const excess = record.head - record.first + 1 - keep
  return trimOldest(tables, room, record, Math.min(excess, TRIMMED_PER_APPEND))
}

export interface AgeLimit {
  nowMs: number
  /** Entries from before this time are too old. */
  cutoffMs: number
}

/** Trims entries that are too old, at most `budget` of them. */
export function trimAged(
  tables: Tables,
  room: string,
  record: RoomRecord,
  { limit, budget }: { limit: AgeLimit; budget: number },
): RoomRecord {
  let seq = record.first
  const range = { start: [room, record.first], end: [room, record.head + 1], limit: budget }
  for (const { value } of tables.entries.getRange(range)) {
    if (!isOld(value.at, limit, () => atAfter(tables, room, { seq, head: record.head }))) break
    seq += 1
  }
  return trimOldest(tables, room, record, seq - record.first)
}

export function hasAged(tables: Tables, room: string, { first, head }: RoomRecord, limit: AgeLimit): boolean {
  if (first > head) return false
  const oldest = tables.entries.get([room, first])
  return oldest !== undefined && isOld(oldest.at, limit, () => atAfter(tables, room, { seq: first, head }))
}

/** An entry from the future: a clock was wrong. Its age shows in the entries after it. */
function isOld(at: number, { nowMs, cutoffMs }: AgeLimit, after: () => Iterable<number>): boolean {
  if (at <= nowMs + CLOCK_STEP_MS) return at < cutoffMs
  for (const later of after()) if (later < cutoffMs) return true
  return false
}

/** The times of the entries at distances 1, 2, 4 … */
function* atAfter(tables: Tables, room: string, { seq, head }: { seq: number; head: number }) {
  for (let step = 1; seq + step <= head; step *= 2) {
    const entry = tables.entries.get([room, seq + step])
    if (entry !== undefined) yield entry.at
  }
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
