/** What a room needs from its client. */
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
  /** Messages that a room shows at first. */
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
  /** The most members that the server lists. */
  membersShown(): number
  /** The server's name of the room. */
  serverName(room: string): string
  /**
   * The server has let the user in. `head`: everything up to there is in the answer.
   * @returns false if this can't be the server's name of the room
   */
  joinedAs(room: string, serverName: unknown, head: number): boolean
  /** Retries until there is a final answer, within a time limit. `use` is that of `Connection.request`. */
  request<E extends ChatEvent, T>(
    event: E,
    payload: RequestPayload<E>,
    use: (answer: ChatAnswers[E]) => T,
  ): Promise<T>
  /** A room is joined: its waiting messages can be sent. */
  ready(): void
  leave(room: string): Promise<void>
  unreadCount(room: string): UnreadCount
  /** The unread count may have changed. */
  unreadChanged(room: string): void
  /** The unread counts are no longer reliable: fetch them again. */
  refreshSummaries(): void
  failed(error: unknown): void
}
