/**
 * The room-log contract: stores and orders the messages of rooms. Implementations: embedded (LMDB) and Redis.
 * Both pass the suite in test/contract/room-log-suite.ts.
 */
import type { AppendResult, Author, LogEntry, MessageDraft } from '../wire/entry.ts'

export interface HeadInfo {
  /**
   * Changes if the room's log, or its end, is lost, so that no client mistakes a new sequence for the old
   * one. Rooms may have different epochs.
   */
  epoch: string
  /** Sequence number of the newest entry; 0 for a room without entries. */
  head: number
  /** Sequence number of the oldest kept entry; `head + 1` if there is none. */
  first: number
}

/**
 * `after`: from `after + 1`, oldest first. `before`: the newest entries older than `before`, oldest first.
 * `newest`: the newest `limit` entries.
 */
export type ReadRange = { limit: number } & ({ after: number } | { before: number } | { newest: true })

export interface LogPage extends HeadInfo {
  /** Ascending by `seq`, without holes. */
  entries: LogEntry[]
  /** There are more entries in that direction. */
  more: boolean
}

/**
 * Read access for any process of the host. Rejects with `unavailable` while the store cannot be read. A read
 * that starts after an entry was announced sees that entry.
 */
export interface RoomLogReader {
  head(room: string): Promise<HeadInfo>
  /** A page may be shorter than `limit` if its entries are large; then `more` is true. */
  read(room: string, range: ReadRange): Promise<LogPage>
  /** The user's own rooms, by name. Rooms without entries have head 0. */
  userRooms(userId: string): Promise<UserRoom[]>
  close(): Promise<void>
}

/** A `MessageDraft` of any kind, as the logs handle it. */
export interface AnyDraft {
  id: string
  kind: string
  from: Author
  text?: string
  target?: number
  data?: unknown
}

/** The epoch of a watched room has changed. Entries after `head` in the new epoch are reported after this. */
export interface LogReset {
  room: string
  epoch: string
  head: number
}

export interface UserRoom {
  room: string
  head: number
  /** Read marker of the user; 0 if never set. */
  read: number
  /** Texts after `read` that are kept and not removed. Edits and removals do not count. */
  unread: number
}

/**
 * The log with write access. One per host (embedded) or per cluster (Redis).
 *
 * `append` makes an entry durable before it is visible. When it resolves, the entry survives a crash, and
 * `onEntry` listeners of a watched room have been or will be called, in log order, once per entry. The
 * sequence is dense per room: 1, 2, 3 … The same `from.id` and `id` in a room again give the first answer
 * with `duplicate: true`; with different content they reject with `conflict`. An edit or removal rejects with
 * `forbidden` if its target is not a text of the same author, and with `not_found` if the target does not
 * exist, is no longer kept or has been removed. A removal blanks the stored text of its target and of the
 * target's edits. An entry that could not be stored rejects with `unavailable` and leaves no trace: the next
 * append gets its number. Over a network only the answer may have been lost: then the entry is stored, and a
 * retry with the same id finds it.
 *
 * Retention trims the oldest entries of a room, by count and by age. The message id of a trimmed entry is
 * forgotten, so a later retry is a new message. A room without kept entries keeps its head. A reader that
 * asks for entries after `after` and finds `first > after + 1` has missed entries for good; the caller
 * decides what to do.
 */
export interface RoomLog extends RoomLogReader {
  append(room: string, draft: MessageDraft): Promise<AppendResult>
  /**
   * Adds `room` to the user's own rooms, with what it has so far as read; no effect if it is one already.
   * Rejects with `forbidden` if the user is at the limit.
   */
  trackRoom(userId: string, room: string): Promise<void>
  /** Also removes the read marker. */
  forgetRoom(userId: string, room: string): Promise<void>
  /**
   * Moves the user's read marker; never backwards and never beyond the head. Resolves with the new marker. An
   * own text, or a retry of it, also moves the marker. Rejects with `not_joined` if the room is not one of
   * the user's own.
   */
  markRead(userId: string, room: string, seq: number): Promise<number>
  /**
   * Resolves when all later entries of `room` will be reported to `onEntry` listeners. Calls are counted.
   * Rejects with `unavailable`; then no `unwatch` is needed. The embedded log reports the entries of all
   * rooms, watched or not.
   */
  watch(room: string): Promise<void>
  unwatch(room: string): void
  onEntry(listener: (entry: LogEntry) => void): void
  /** The embedded log never loses its end unnoticed, and never calls it. */
  onReset(listener: (reset: LogReset) => void): void
  /** Calls back with the current state and at each change: `null` if the log works, else the reason. */
  onHealth(listener: (reason: string | null) => void): void
}
