/** Public exports for your own application. */
export type {
  App,
  AppContext,
  AppErrorListener,
  AppErrorOrigin,
  AppendOptions,
  /** @deprecated The former name of `AppendOptions`. */
  AppendOptions as AppendTerms,
  AppOptions,
  AppPlacement,
  AppSettings,
  ClusterHost,
  ClusterInfo,
  ClusterState,
  DrainHooks,
  FetchHandler,
  HttpHandler,
  Limits,
  Mountable,
  OwnEntry,
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
