/**
 * The door through which an application is loaded into every worker: a module whose default export is an `App`.
 * The chat comes in through it, and a user's own application (`--app ./my-app.js`) as well.
 */
import type { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Server, Socket } from 'socket.io'
import type { AppendResult, Author, LogEntry, MessageDraft } from './entry.ts'

export type App = (io: Server, context: AppContext) => void | Promise<void>

export interface AppContext {
  /** This host's name. */
  readonly host: string
  /** This worker's name, unique on the host and never used again: `w1`, `w2` … */
  readonly worker: string
  readonly logger: Logger
  readonly settings: AppSettings
  /** Routes of the application's own, on the same port. */
  readonly http: Hono
  readonly metrics: Registry
  readonly rooms: Rooms
  readonly limits: Limits
  /**
   * Sends one event to many sockets of this worker, encoded once. Sockets with too many unsent bytes are passed over.
   * @returns those that were passed over
   */
  fanOut(sockets: Iterable<Socket>, event: string, payload: unknown): Socket[]
  /** Bytes accepted for this socket's connection that have not left the process yet. */
  unsentBytes(socket: Socket): number
  /** Called with the present state at once and then at every change. */
  onClusterState(listener: (state: ClusterState) => void): void
  onDrain(hooks: DrainHooks): void
}

export type ClusterState = { state: 'ok' } | { state: 'degraded'; reason: string }

/** What an application may do when its worker goes. Each connection is closed at a time of its own. */
export interface DrainHooks {
  /** Once a socket, at the start: its connection will be closed in so many milliseconds. */
  notice?(socket: Socket, reconnectInMs: number): void
  /** Just before a socket's connection is closed: resolves when no ack of it is owed any more. */
  settle?(socket: Socket): Promise<void>
}

/** What of the settings an application may see. */
export interface AppSettings {
  readonly auth: 'guest' | 'jwt'
  readonly jwtSecret: string | undefined
  readonly jwksUrl: string | undefined
  readonly jwtIssuer: string | undefined
  readonly jwtAudience: string | undefined
  readonly apiKey: string | undefined
  readonly textMaxChars: number
  readonly roomsPerSocket: number
  /** Messages a user may send a second, with bursts of `messageBurst`. */
  readonly messageRate: number
  readonly messageBurst: number
  /** All other requests a user may make a second, with bursts of `requestBurst`. */
  readonly requestRate: number
  readonly requestBurst: number
  /** Past so many unsent bytes a socket gets no room messages but a `gap` event later. */
  readonly slowClientBytes: number
  /** A socket that stays slow for so long is disconnected. */
  readonly slowClientMs: number
}

/** Rooms with a memory: the log, who is there, and who has read how far. Errors are `RookeryError`s. */
export interface Rooms {
  /**
   * Resolves when this worker is subscribed: every entry appended from then on reaches `listener.entries` once, in
   * order and without holes. One subscription per worker and room is enough; the application shares it out.
   */
  open(room: string, listener: RoomListener): Promise<RoomSubscription>
  append(room: string, draft: MessageDraft, terms?: AppendOptions): Promise<AppendResult>
  read(room: string, range: RoomRange): Promise<RoomPage>
  /**
   * From now on `user` is in `room`, until each stay of this user there has ended. Resolves with who is there, the user
   * included. When it rejects, the stay may have begun all the same: `leave` it.
   * @param stay a name for one connection's being in the room: unique in this worker, never used again, 64 characters at
   * most
   */
  enter(room: string, user: Author, stay: string): Promise<RoomMembers>
  /** Ends a stay, as soon as the host can be told; harmless for one that never began. */
  leave(room: string, userId: string, stay: string): void
  members(room: string): Promise<RoomMembers>
  trackRoom(userId: string, room: string): Promise<void>
  forgetRoom(userId: string, room: string): Promise<void>
  markRead(userId: string, room: string, seq: number): Promise<number>
  userRooms(userId: string): Promise<{ room: string; head: number; read: number; unread: number }[]>
}

export interface AppendOptions {
  /**
   * Counts as one of the messages that `draft.from` may send (`messageRate`), over all workers and hosts: rejects with
   * `rate_limited` when that is one too many.
   */
  limited?: boolean
}

/** What a user may do and have on all workers of all hosts. Errors are `RookeryError`s. */
export interface Limits {
  /**
   * Counts one more connection of the user. Rejects with `rate_limited` when there are CONNECTIONS_PER_USER already; then,
   * and when it rejects otherwise, nothing is counted.
   * @returns what ends it; harmless when called again
   */
  admitConnection(userId: string): Promise<() => void>
  /**
   * Takes one from REQUEST_RATE and REQUEST_BURST, for what costs more than the worker that serves it: a reading of the log.
   * Rejects with `rate_limited`. What can't be counted just now is let be.
   */
  takePage(userId: string): Promise<void>
}

export type RoomRange = { limit: number } & ({ after: number } | { before: number } | { newest: true })

export interface RoomPage {
  epoch: string
  head: number
  first: number
  entries: LogEntry[]
  more: boolean
}

export interface RoomMembers {
  /** At most `MEMBERS_SHOWN`, by the order of their coming. */
  members: Author[]
  count: number
}

/** In larger rooms presence is told by count alone, and a member list holds the first so many. */
export const MEMBERS_SHOWN = 500

export interface PresenceChange {
  joined: Author[]
  left: { id: string }[]
  count: number
}

export interface RoomListener {
  entries(entries: readonly LogEntry[]): void
  /**
   * The log was lost, and this is another: what was delivered is of no log any more. What is delivered next follows on
   * `head` of the log that is named `epoch`.
   */
  reset?(epoch: string, head: number): void
  /** Changes of a short while, together. */
  presence(change: PresenceChange): void
}

export interface RoomSubscription {
  close(): void
}
