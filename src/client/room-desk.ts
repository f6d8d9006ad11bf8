/** What a room needs of its client. */
import type { ChatAnswers, ChatEvent } from '../wire/chat.ts'
import type { Author } from '../wire/entry.ts'
import type { BackOff } from './back-off.ts'
import type { Clock } from './clock.ts'
import type { Asked, Connection } from './connection.ts'
import type { ChatError } from './errors.ts'
import type { Entry } from './guards.ts'
import type { ChatMessage } from './messages.ts'
import type { Outbox, Send } from './outbox.ts'
import type { SendActions } from './shown-sends.ts'
import type { TimelineBounds } from './timeline.ts'

export interface RoomBounds extends TimelineBounds {
  /** Messages that a room is first shown with. */
  firstPage: number
}

export interface RoomDesk extends SendActions {
  readonly clock: Clock
  readonly backOff: BackOff
  readonly bounds: RoomBounds
  readonly outbox: Outbox
  connection(): Connection
  user(): Author | undefined
  /** A member list is never longer. */
  membersShown(): number
  /** Asks again until there is an answer for good, within a limit of time. */
  request<E extends ChatEvent>(event: E, payload: Asked<E>): Promise<ChatAnswers[E]>
  enqueue(
    room: string,
    what: { kind: Send['pending']['kind']; text?: string; target?: number },
  ): { send: Send; settled: Promise<ChatMessage> }
  /** The log has shown an entry of the user's own. */
  seen(room: string, entry: Entry): void
  done(send: Send): void
  contradicted(send: Send): void
  lostLog(room: string): void
  refused(room: string, error: ChatError): void
  /** A room is joined: what waits for it can go. */
  ready(): void
  leave(room: { name: string }): Promise<void>
  failed(error: unknown): void
}
