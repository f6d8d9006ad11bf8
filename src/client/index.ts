/** The chat's client, for browsers and Node.js. */
export { bestMatches, foldedName } from '../core/name-search.ts'
export type { ChatLimits, FoundPerson } from '../wire/chat.ts'
export { directRoom, directUsers, isDirect } from '../wire/chat-direct.ts'
export type { Author } from '../wire/entry.ts'
export { isolated, nameProblem, tidyName } from '../wire/names.ts'
export { foldedRoom, ROOM_MAX_CHARS, roomProblem } from '../wire/room-names.ts'
export { type ChatClient, type ClientEvents, connectChat } from './client.ts'
export type { ChatState, ConnectionState } from './connection/chat-state.ts'
export type { Clock } from './connection/clock.ts'
export type {
  Auth,
  AuthSource,
  GuestAuth,
  OwnAuth,
  SocketSettings,
  TokenAuth,
} from './connection/connection.ts'
export type { Entry, RoomSummary } from './connection/guards.ts'
export { ChatError, type ChatErrorCode } from './errors.ts'
export type { ChatOptions } from './options.ts'
export type { ChatRoom } from './room/room.ts'
export type { HistoryPage, RoomEvents, RoomState, SentMessage } from './room/room-events.ts'
export type { Members } from './room/roster.ts'
export { indexedDbStorage } from './sending/indexed-db.ts'
export { memoryStorage, type Pending, type PendingStorage } from './sending/storage.ts'
export type { ChatMessage, Failure, LoggedMessage, PendingChange } from './timeline/messages.ts'
export type { Doubt, ResetReason } from './timeline/timeline.ts'
