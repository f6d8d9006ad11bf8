/** What a room tells and gives: the shapes that its user sees. */
import type { Author } from '../../wire/entry.ts'
import type { Entry } from '../connection/guards.ts'
import type { ChatMessage, LoggedMessage } from '../timeline/messages.ts'
import type { Doubt, ResetReason } from '../timeline/timeline.ts'
import type { Members } from './roster.ts'

/**
 * `live`: all that the log has is shown. `catching_up`: joined, and more is on its way. `joining`: not joined on the
 * present connection. `refused`: the server will not have the user in it.
 */
export type RoomState = 'joining' | 'catching_up' | 'live' | 'refused' | 'left'

export interface RoomEvents {
  [event: string]: unknown[]
  /** A text of the log, each once and in order. `live`: it came by itself, not with a page of what was before. */
  message: [message: LoggedMessage, about: { live: boolean }]
  /** Any entry of the log, each once and in order. */
  entry: [entry: Entry]
  /** `messages` is another list than before. */
  change: []
  presence: [members: Members]
  /** Who writes just now. */
  typing: [writers: Author[]]
  /** Somebody has read up to there. */
  read: [about: { user: { id: string }; seq: number }]
  /** `unread` is another number than before. */
  unread: [unread: number]
  /** What was shown is gone: `messages` begins anew. */
  reset: [reason: ResetReason]
  /** The client can't tell something about this room. */
  doubt: [doubt: Doubt]
  state: [state: RoomState]
}

/** A send, as it is now; `settled` resolves when it is sent, has failed or has been given up, and never rejects. */
export type SentMessage = ChatMessage & { readonly settled: Promise<ChatMessage> }

export interface HistoryPage {
  readonly epoch: string
  readonly head: number
  readonly messages: readonly Entry[]
  readonly more: boolean
}
