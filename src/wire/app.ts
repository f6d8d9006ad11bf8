/**
 * The API for applications. Every worker loads one: a module whose default export is an `App`. The chat uses
 * this API, like your own application (`--app ./my-app.js`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { DefaultEventsMap, Server, ServerOptions, Socket } from 'socket.io'
import type { AppendResult, Author, LogEntry, MessageDraft } from './entry.ts'

type Events = DefaultEventsMap
/** Interfaces have no index signature, which Socket.IO asks for. */
type EventsOf<T> = { [K in keyof T]: T[K] }

/** Takes the type arguments of Socket.IO's `Server`. */
export type App<
  FromClients = Events,
  ToClients = Events,
  BetweenServers = Events,
  SocketData = Socket['data'],
> = (
  io: Server<EventsOf<FromClients>, EventsOf<ToClients>, EventsOf<BetweenServers>, SocketData>,
  context: AppContext,
) => void | Promise<void>

/**
 * What a module may export as `options`: those of Socket.IO, except what joins the workers. A setting that the
 * operator gives (PING_INTERVAL_MS …) goes first.
 */
export type AppOptions = Partial<Omit<ServerOptions, 'adapter' | 'wsEngine' | 'initialPacket'>>

/**
 * What a module may export as `placement`: clients whose handshakes have the same value there are on one worker of a host.
 * `query`: a parameter of the URL (a client's `query`, not its `auth`); `header`, `cookie`: by name.
 */
export type AppPlacement = { query: string } | { header: string } | { cookie: string }

/** @param next passes the request on; with an error, it is answered with 500 */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => unknown
export type FetchHandler = (request: Request) => Response | Promise<Response>
/** An application of Express, Koa, Fastify or Hono, or a handler. */
export type Mountable =
  | HttpHandler
  | FetchHandler
  | { fetch: FetchHandler }
  | { callback(): HttpHandler }
  | { ready(): unknown; routing: HttpHandler }

/** What an application gets. Its functions need no `this`: `(io, { mount, onStop }) => …`. */
export interface AppContext {
  /** This host's name. */
  readonly host: string
  /** This worker's name, unique on the host and never used again: `w1`, `w2` … */
  readonly worker: string
  readonly logger: Logger
  readonly settings: AppSettings
  /**
   * Runs `task`, which goes on until its `signal` aborts, on one worker of the cluster at a time. If it fails, or its worker dies or drains, it
   * starts again elsewhere: at once, or within 12 s if its host can't be reached. Ends what it does when `signal`
   * aborts: another worker may go on then.
   * @param name 1 to 100 characters without spaces, colons and braces; unique in the application
   */
  readonly once: (name: string, task: (signal: AbortSignal) => unknown) => void
  /**
   * As `once`, for a task that starts every `intervalMs` milliseconds, counted from start to start over all
   * workers; the first time after one interval. Never twice at a time.
   */
  readonly every: (name: string, intervalMs: number, task: (signal: AbortSignal) => unknown) => void
  /** For the application's own routes, on the same port. */
  readonly http: Hono
  /**
   * Serves all requests that neither Socket.IO nor a route of `http` serves with an HTTP application of your
   * own. Once per worker.
   */
  readonly mount: (handler: Mountable) => void
  readonly metrics: Registry
  readonly rooms: Rooms
  readonly limits: Limits
  readonly cluster: ClusterInfo
  /**
   * Sends one event to many sockets of this worker, encoded once. Skips sockets with more than
   * `slowClientBytes` unsent.
   * @returns the skipped sockets
   */
  readonly fanOut: (sockets: Iterable<Socket>, event: string, payload: unknown) => Socket[]
  /** Unix milliseconds by the clock of this machine, without its jumps. */
  readonly now: () => number
  /** Bytes written to this socket's connection that have not left the process yet. */
  readonly unsentBytes: (socket: Socket) => number
  /** Calls `listener` with the present state at once, and then at every change. */
  readonly onClusterState: (listener: (state: ClusterState) => void) => void
  readonly onDrain: (hooks: DrainHooks) => void
  /**
   * Called when the worker has no clients any longer and is about to exit: to close databases, say. Waited for
   * until `leftMs` milliseconds are over. Hooks that were added last run first.
   */
  readonly onStop: (hook: (leftMs: number) => void | Promise<void>) => void
  /**
   * Calls `listener` with each error of the application's code, after it was logged and counted. With
   * `APP_ERRORS=exit` the worker ends instead.
   */
  readonly onError: (listener: AppErrorListener) => void
}

/** @param error what was thrown, or what a promise was rejected with */
export type AppErrorListener = (error: unknown, origin: AppErrorOrigin) => void | Promise<void>

/** What the application's code was called for when the error arose. */
export interface AppErrorOrigin {
  /**
   * `connection`, `event`, `disconnect`: a listener of a socket. `ack`: the callback of an emit. `middleware`:
   * of `io.use` or `socket.use`. `namespace`: a function given to `io.of`, or a listener for `new_namespace`.
   * `server`: a listener for `serverSideEmit`. `engine`: below Socket.IO (`io.engine`, `socket.conn`). `http`: a
   * route. `unknown`: it belongs to no client, and the worker is replaced.
   */
  readonly where:
    | 'connection'
    | 'event'
    | 'disconnect'
    | 'ack'
    | 'middleware'
    | 'namespace'
    | 'server'
    | 'engine'
    | 'http'
    | 'unknown'
  readonly event?: string | undefined
  readonly namespace?: string | undefined
  /** It may have disconnected meanwhile. */
  readonly socket?: Socket | undefined
  readonly request?: IncomingMessage | undefined
}

/** What this host knows of the cluster. */
export interface ClusterInfo {
  /**
   * This host first, then the others, as far as they are known here. Each tells its numbers every 2 s; one that can't be reached
   * stays for about 10 s, and for a minute while Redis is away.
   * Rejects with a `RookeryError` (`unavailable`) if the primary does not answer.
   */
  hosts(): Promise<ClusterHost[]>
}

export interface ClusterHost {
  /** HOST_NAME. */
  readonly name: string
  /** Whether this worker runs there. */
  readonly isOwn: boolean
  /**
   * `degraded`: it can't reach the others, or its log. `stopping`: it is moving its clients. `unknown`: it has just been
   * found, and its numbers are 0.
   */
  readonly state: 'ok' | 'degraded' | 'stopping' | 'unknown'
  /** Workers that take new clients. */
  readonly workers: number
  /** Connections of Socket.IO, with those that are being opened. */
  readonly connections: number
  /** When the host told this: Unix milliseconds by this machine's clock (`context.now()`). */
  readonly asOf: number
}

export type ClusterState = { state: 'ok' } | { state: 'degraded'; reason: string }

/** Hooks for the drain of a worker. Each connection is closed at a time of its own. */
export interface DrainHooks {
  /** Called once per socket when the drain starts: its connection will be closed in `reconnectInMs`. */
  notice?(socket: Socket, reconnectInMs: number): void
  /** Called just before a socket's connection is closed. Resolves when all its requests have been acked. */
  settle?(socket: Socket): Promise<void>
}

/** The settings that an application gets. */
export interface AppSettings {
  readonly auth: 'guest' | 'jwt'
  readonly jwtSecret: string | undefined
  /** Its tokens are accepted too. */
  readonly jwtSecretOther: string | undefined
  readonly jwksUrl: string | undefined
  readonly jwtIssuer: string | undefined
  readonly jwtAudience: string | undefined
  readonly apiKey: string | undefined
  /** Whether a user may search for all people that the chat knows. */
  readonly peopleSearch: boolean
  readonly textMaxChars: number
  readonly roomsPerSocket: number
  /** Messages a user may send per second, with bursts of `messageBurst`. */
  readonly messageRate: number
  readonly messageBurst: number
  /** Other requests a user may make per second, with bursts of `requestBurst`. */
  readonly requestRate: number
  readonly requestBurst: number
  /** Past this many unsent bytes a socket gets no room messages, but a `gap` event later. */
  readonly slowClientBytes: number
  /** A socket that stays slow for this long is disconnected. */
  readonly slowClientMs: number
}

/** Rooms: their logs, their members and the read markers of users. Errors are `RookeryError`s. */
export interface Rooms {
  /**
   * Resolves when this worker is subscribed: every entry appended from then on reaches `listener.entries`
   * once, in order and without gaps. One subscription per worker and room is enough; the application
   * distributes the entries.
   */
  open(room: string, listener: RoomListener): Promise<RoomSubscription>
  /**
   * Resolves when the entry is stored. The same `id` of the same author again gives the first answer, with
   * `duplicate: true`. Rejects with `bad_request` or `too_large` for what can't be an entry.
   */
  append(room: string, entry: MessageDraft | OwnEntry, options?: AppendOptions): Promise<AppendResult>
  read(room: string, range: RoomRange): Promise<RoomPage>
  /**
   * Starts a presence session. `user` is in `room` until all sessions of this user there have ended. Resolves
   * with the members, the user included. When it rejects the session may have started anyway: call `leave`.
   * @param sessionId names the presence of one connection in the room: unique in this worker, never used
   * again, at most 64 characters
   */
  enter(room: string, user: Author, sessionId: string): Promise<RoomMembers>
  /** Ends a presence session, with retries if the primary can't be reached. Harmless if it never started. */
  leave(room: string, userId: string, sessionId: string): void
  /** The first members, or those that the view asks for. `count` is that of the room. */
  members(room: string, view?: MembersView): Promise<RoomMembers>
  /** Makes the room one of the user's own. What it has so far counts as read. */
  trackRoom(userId: string, room: string): Promise<void>
  forgetRoom(userId: string, room: string): Promise<void>
  markRead(userId: string, room: string, seq: number): Promise<number>
  userRooms(userId: string): Promise<{ room: string; head: number; read: number; unread: number }[]>
}

/** An entry of a kind of your own. */
export interface OwnEntry {
  /** A letter, then at most 31 letters, digits and `_ . : -`. Not one of the chat: text, edit, remove, reaction, pin, unreadable. */
  kind: string
  /** As JSON at most 65,536 bytes (UTF-8) and 64 levels. Stored as `JSON.stringify` has it. */
  data?: unknown
  from: Author
  /** 1-64 characters of A-Z a-z 0-9 _ -, for retries. A random one by default. */
  id?: string
}

export interface AppendOptions {
  /**
   * Counts against `from`'s limit of messages (`messageRate`), over all workers and hosts. Rejects with
   * `rate_limited` when the limit is reached.
   */
  limited?: boolean
}

/** Limits per user over all workers and hosts. Errors are `RookeryError`s. */
export interface Limits {
  /**
   * Counts one more connection of the user. Rejects with `rate_limited` when the user has
   * CONNECTIONS_PER_USER already. When it rejects, nothing is counted.
   * @returns a function that ends the connection; further calls do nothing
   */
  admitConnection(userId: string): Promise<() => void>
  /**
   * Counts against REQUEST_RATE and REQUEST_BURST. For requests that cost more than this worker's time, such
   * as reads of the log. Rejects with `rate_limited`. Resolves when it can't be counted at the moment.
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
  /** At most `MEMBERS_SHOWN`, in the order in which they joined. */
  members: Author[]
  count: number
}

/** Larger rooms announce only their member count, and member lists hold only the first this many. */
export const MEMBERS_SHOWN = 500

/** Which members of a room to list. */
export interface MembersView {
  /** Only those whose name has this in it, the best matches first; at most `FOUND_MAX`. */
  search?: string | undefined
  /** Id of a member: those that joined later. From the first one, if nobody with this id is in the room. */
  after?: string | undefined
}

/** A search finds at most so many. */
export const FOUND_MAX = 50

export interface PresenceChange {
  joined: Author[]
  left: { id: string }[]
  count: number
}

export interface RoomListener {
  entries(entries: readonly LogEntry[]): void
  /**
   * The log was lost and replaced: entries delivered before are in no log any more. The next entries follow
   * `head` in the log with this `epoch`.
   */
  reset?(epoch: string, head: number): void
  /** Changes, collected over a short time. */
  presence?(change: PresenceChange): void
}

export interface RoomSubscription {
  close(): void
}
