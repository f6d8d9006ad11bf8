/**
 * Rules of an append, run inside the writer's transaction: numbering, duplicates, ownership of targets,
 * blanking. All checks come before the first write, so a refused append leaves no trace in the transaction.
 */
import { timeAfter } from '../core/clock-filter.ts'
import type { AppendResult, LogEntry } from '../wire/entry.ts'
import { RookeryError } from '../wire/errors.ts'
import { digestOf } from './digest.ts'
import type { RoomRecord, StoredEntry, Tables } from './environment.ts'
import { roomRecord, toLogEntry } from './log-reads.ts'
import { trimExcess } from './retention.ts'
import type { AnyDraft } from './room-log.ts'

export interface AppendOutcome {
  result: AppendResult
  /** `null` for a duplicate. */
  entry: LogEntry | null
  trimmed: number
}

export interface AppendOptions {
  nowMs: number
  /** Limit of entries of a room. */
  keep: number
}

export function appendDraft(
  tables: Tables,
  room: string,
  draft: AnyDraft,
  options: AppendOptions,
): AppendOutcome {
  const { kind, target, from } = draft
  const digest = digestOf(draft)
  const known = tables.ids.get([room, from.id, draft.id])
  if (known !== undefined) {
    if (known.digest !== digest) throw new RookeryError('conflict', 'this id was used for another message')
    if (kind === 'text') markOwnRead(tables, room, { userId: from.id, seq: known.seq })
    return { result: { seq: known.seq, at: known.at, duplicate: true }, entry: null, trimmed: 0 }
  }
  const record = roomRecord(tables, room)
  if (target !== undefined) checkTarget(tables, room, { target, from })

  const seq = record.head + 1
  const stored = toStored(draft, record, options.nowMs)
  tables.entries.putSync([room, seq], stored)
  tables.ids.putSync([room, from.id, draft.id], { seq, at: stored.at, digest })
  if (kind === 'edit' && target !== undefined) tables.edits.putSync([room, target, seq], 1)
  if (kind === 'remove' && target !== undefined) blank(tables, room, target)
  if (kind === 'text') markOwnRead(tables, room, { userId: from.id, seq })

  const grown = { ...record, head: seq, at: stored.at, texts: stored.texts }
  const kept = trimExcess(tables, room, grown, options.keep)
  tables.rooms.putSync(room, kept)
  return {
    result: { seq, at: stored.at, duplicate: false },
    entry: toLogEntry(room, seq, stored),
    trimmed: kept.first - record.first,
  }
}

function toStored(draft: AnyDraft, record: RoomRecord, nowMs: number): StoredEntry {
  const { id, kind, from, text, target, data } = draft
  const stored: StoredEntry = {
    id,
    kind,
    from: { id: from.id, name: from.name },
    at: timeAfter(record.at, nowMs),
    texts: record.texts + (kind === 'text' ? 1 : 0),
  }
  if (text !== undefined) stored.text = text
  if (target !== undefined) stored.target = target
  if (data !== undefined) stored.data = data
  return stored
}

function checkTarget(tables: Tables, room: string, draft: { target: number; from: { id: string } }): void {
  const target = tables.entries.get([room, draft.target])
  if (target === undefined)
    throw new RookeryError('not_found', 'the target does not exist or is not kept any more')
  if (target.kind !== 'text') throw new RookeryError('forbidden', 'the target is not a text')
  if (target.from.id !== draft.from.id) throw new RookeryError('forbidden', 'the target is of another author')
  if (target.text === undefined) throw new RookeryError('not_found', 'the target has been removed')
}

/**
 * Overwrites the stored texts. The old bytes stay in the data file until LMDB reuses their pages, which it
 * does before the file grows. So no reader can see the texts, but a forensic look at the disk may.
 */
function blank(tables: Tables, room: string, target: number): void {
  blankEntry(tables, room, target)
  tables.removed.putSync([room, target], 1)
  const edits = [...tables.edits.getKeys({ start: [room, target], end: [room, target + 1] })]
  for (const [, , edit] of edits) blankEntry(tables, room, edit)
}

function blankEntry(tables: Tables, room: string, seq: number): void {
  const stored = tables.entries.get([room, seq])
  if (stored?.text === undefined) return
  const { text: _gone, ...rest } = stored
  tables.entries.putSync([room, seq], rest)
}

/** An author has read the room up to the own message. */
function markOwnRead(tables: Tables, room: string, { userId, seq }: { userId: string; seq: number }): void {
  const read = tables.userRooms.get([userId, room])
  if (read === undefined || read >= seq) return
  tables.userRooms.putSync([userId, room], seq)
}
