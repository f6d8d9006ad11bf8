/** The events of a room and the types in its public methods. */
import type { Author } from '../../wire/entry.ts'
import type { Entry } from '../connection/guards.ts'
import type { ChatMessage, LoggedMessage } from '../timeline/messages.ts'
import type { Doubt, ResetReason } from '../timeline/timeline.ts'
import type { Members } from './roster.ts'

/**
 * `live`: everything in the log is shown. `catching_up`: joined, and entries are still missing. `joining`:
 * not joined on the current connection. `refused`: the server refuses the user in this room.
 */
export type RoomState = 'joining' | 'catching_up' | 'live' | 'refused' | 'left'

export interface RoomEvents {
  [event: string]: unknown[]
  /**
   * A text of the log, once each and in order. `live`: it was pushed by the server, not part of a page of
   * history.
   */
  message: [message: LoggedMessage, about: { live: boolean }]
  /** Any entry of the log, once each and in order. */
  entry: [entry: Entry]
  /** `messages` has changed. */
  change: []
  presence: [members: Members]
  /** The users who are typing. */
  typing: [writers: Author[]]
  /** A user has read up to `seq`. */
  read: [about: { user: { id: string }; seq: number }]
  /** `unread` has changed. */
  unread: [unread: number]
  /** Everything shown is discarded; `messages` starts anew. */
  reset: [reason: ResetReason]
  /** The server has contradicted itself, or withholds entries of this room. */
  doubt: [doubt: Doubt]
  state: [state: RoomState]
}

/**
 * A sent message with its current state. `settled` resolves when it is sent, failed or discarded. Never
 * rejects.
 */
export type SentMessage = ChatMessage & { readonly settled: Promise<ChatMessage> }

export interface HistoryPage {
  readonly epoch: string
  readonly head: number
  readonly messages: readonly Entry[]
  readonly more: boolean
}
