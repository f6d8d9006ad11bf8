/** The chat's client, for browsers and Node.js. */
export type { ChatLimits } from '../wire/chat.ts'
export { directRoom, directUsers, isDirect } from '../wire/chat-direct.ts'
export type { Author } from '../wire/entry.ts'
export {
  type ChatClient,
  type ChatState,
  type ClientEvents,
  type ConnectionState,
  connectChat,
} from './client.ts'
export type { Clock } from './clock.ts'
export type { Auth, AuthSource, GuestAuth, SocketSettings, TokenAuth } from './connection.ts'
export { ChatError, type ChatErrorCode } from './errors.ts'
export type { Entry } from './guards.ts'
export { indexedDbStorage } from './indexed-db.ts'
export type { ChatMessage, Failure, LoggedMessage, PendingChange } from './messages.ts'
export type { ChatOptions } from './options.ts'
export type { ChatRoom, HistoryPage, RoomEvents, RoomState, SentMessage } from './room.ts'
export type { Members } from './roster.ts'
export { memoryStorage, type Pending, type PendingStorage } from './storage.ts'
export type { RoomSummary } from './tally.ts'
export type { Doubt, ResetReason } from './timeline.ts'
