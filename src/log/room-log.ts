/**
 * The room-log contract: the source of order and of memory. Implementations: embedded (LMDB) and Redis.
 * All of them pass the suite in test/contract/room-log-suite.ts.
 */
import type { AppendResult, LogEntry, MessageDraft } from '../wire/entry.ts'

export interface HeadInfo {
  /**
   * Changes when the room's log is lost, or the end of it, so that no client takes a new sequence for the old one. Another room's
   * may differ.
   */
  epoch: string
  /** Sequence number of the newest entry; 0 for a room without any. */
  head: number
  /** Sequence number of the oldest entry that is still kept; `head + 1` when none is. */
  first: number
}

/**
 * `after`: oldest first, from `after + 1`. `before`: the newest that are older than `before`, oldest first.
 * Neither: the newest `limit`.
 */
export type ReadRange = { limit: number } & ({ after: number } | { before: number } | { newest: true })

export interface LogPage extends HeadInfo {
  /** Ascending by `seq`, without holes. */
  entries: LogEntry[]
  /** There is more in that direction than `limit` let through. */
  more: boolean
}

/**
 * What any process of the host may ask. Rejects with `unavailable` while the store cannot be read. A look that is begun
 * after an entry was announced sees that entry.
 */
export interface RoomLogReader {
  head(room: string): Promise<HeadInfo>
  /** A page may be shorter than `limit` when its entries are large; `more` says so. */
  read(room: string, range: ReadRange): Promise<LogPage>
  /** The user's own rooms, by name. Rooms without entries have head 0. */
  userRooms(userId: string): Promise<UserRoom[]>
  close(): Promise<void>
}

/** The epoch of a watched room has changed. What follows `head` in the new one is told after this. */
export interface LogReset {
  room: string
  epoch: string
  head: number
}

export interface UserRoom {
  room: string
  head: number
  /** Up to where the user has read; 0 when never said. */
  read: number
  /** Texts after `read` that are still kept and have not been removed. Edits and removals do not count. */
  unread: number
}

/**
 * The writer. One a host (embedded) or a cluster (Redis).
 *
 * `append` is durable first and visible after: when it resolves, the entry survives a crash, and `onEntry` listeners
 * of a watched room have been called or will be, in the order of the log, each entry once. The sequence is dense per room:
 * 1, 2, 3 …
 * The same `from.id` and `id` in a room again gives the first answer with `duplicate: true`; with another content it
 * rejects with `conflict`. An edit or removal whose target is not a text of the same author rejects with `forbidden`;
 * one whose target does not exist, is not kept any more or has been removed, with `not_found`. A removal blanks the
 * text of its target, and of the target's edits, where they are stored.
 * What could not be stored rejects with `unavailable`, and leaves no trace: the next append gets the number that this
 * one would have had. Over a network the answer alone may have been lost: then it is stored, and its id tells.
 *
 * Retention lets the oldest entries of a room go, by count and by age; with an entry its message id is forgotten, so
 * that a retry which comes after that is a new message. A room whose entries have all gone keeps its head. A reader that
 * asks for what follows `after` and finds `first > after + 1` has missed entries for good: the caller decides what then.
 */
export interface RoomLog extends RoomLogReader {
  append(room: string, draft: MessageDraft): Promise<AppendResult>
  /**
   * Makes `room` one of the user's own, with nothing read; harmless when it is one already. Rejects with `forbidden` when
   * the user has as many as a user can have.
   */
  trackRoom(userId: string, room: string): Promise<void>
  /** The read marker goes too. */
  forgetRoom(userId: string, room: string): Promise<void>
  /**
   * Moves the user's read marker; it never goes back and never beyond the head. Resolves with where it stands. A text of
   * the user's own moves it as well, and so does sending that again. Rejects with `not_joined` for a room that is not one of the user's own.
   */
  markRead(userId: string, room: string, seq: number): Promise<number>
  /**
   * Resolves when the entries of `room` that are appended from then on will be told to `onEntry` listeners. Counted. Rejects with
   * `unavailable`, and then need not be undone. The embedded log tells the entries of every room, watched or not.
   */
  watch(room: string): Promise<void>
  unwatch(room: string): void
  onEntry(listener: (entry: LogEntry) => void): void
  /** A log on which nothing but its own host writes never loses its end unnoticed, and never calls it. */
  onReset(listener: (reset: LogReset) => void): void
  /** Told how it stands now, and then at each change: `null` while it works, else why not. */
  onHealth(listener: (reason: string | null) => void): void
}
