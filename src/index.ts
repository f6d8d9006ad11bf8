/** What an application of your own can import from the package. */
export type {
  App,
  AppContext,
  AppendOptions,
  AppSettings,
  ClusterState,
  DrainHooks,
  Limits,
  PresenceChange,
  RoomListener,
  RoomMembers,
  RoomPage,
  RoomRange,
  RoomSubscription,
  Rooms,
} from './wire/app.ts'
export type { AppendResult, Author, LogEntry, MessageDraft } from './wire/entry.ts'
export { type ErrorBody, type ErrorCode, RookeryError } from './wire/errors.ts'
