/** What a room needs of its client. */
import type { ChatAnswers, ChatEvent } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'
import type { BackOff } from '../connection/back-off.ts'
import type { Clock } from '../connection/clock.ts'
import type { Connection, RequestPayload } from '../connection/connection.ts'
import type { Outbox } from '../sending/outbox.ts'
import type { PendingSends } from '../sending/pending-sends.ts'
import type { TimelineBounds } from '../timeline/timeline.ts'
import type { UnreadCount } from './unread-count.ts'

export interface RoomBounds extends TimelineBounds {
  /** Messages that a room is first shown with. */
  firstPage: number
}

export interface RoomContext {
  readonly clock: Clock
  readonly backOff: BackOff
  readonly bounds: RoomBounds
  readonly outbox: Outbox
  readonly sends: PendingSends
  connection(): Connection
  user(): Author | undefined
  /** A member list is never longer. */
  membersShown(): number
  /** Asks again until there is an answer for good, within a limit of time. */
  request<E extends ChatEvent>(event: E, payload: RequestPayload<E>): Promise<ChatAnswers[E]>
  /** A room is joined: what waits for it can go. */
  ready(): void
  leave(room: string): Promise<void>
  /** What is unread in a room. */
  unreadCount(room: string): UnreadCount
  /** The tally may be other than before. */
  unreadChanged(room: string): void
  /** The tally can't be right any more. */
  refreshSummaries(): void
  failed(error: unknown): void
}
