/**
 * The chat: the application that Rookery runs unless APP names another, which may mount it (index.ts). Creates
 * the parts and connects them to the server. Runs in every worker, and knows neither the primary nor the store.
 */
import type { Namespace, Socket } from 'socket.io'
import type { App, AppContext, ClusterState } from '../wire/app.ts'
import { MEMBERS_SHOWN } from '../wire/app.ts'
import type { ChatEvents, ChatLimits } from '../wire/chat.ts'
import { HISTORY_DEFAULT, HISTORY_MAX } from '../wire/chat.ts'
import { NAME_MAX_CHARS } from '../wire/names.ts'
import { ROOM_MAX_CHARS } from '../wire/room-names.ts'
import { api } from './api.ts'
import { authenticateConnections, closeAtExpiry } from './auth/authenticate-connections.ts'
import { authenticator, persistentUsers } from './auth/authenticator.ts'
import type { Identity } from './auth/identity.ts'
import type { ChatMetrics } from './metrics.ts'
import { chatMetrics } from './metrics.ts'
import { Access, type Authorize } from './requests/access.ts'
import { RequestDispatcher } from './requests/dispatcher.ts'
import { rates } from './requests/rate.ts'
import { ReadMarkers } from './requests/read-markers.ts'
import { createRequestHandlers } from './requests/requests.ts'
import { channelOf, Memberships } from './rooms/memberships.ts'
import { People } from './rooms/people.ts'
import { peopleSearch } from './rooms/people-search.ts'
import type { FeedOutput, Member } from './rooms/room-feed.ts'
import { RoomFeeds } from './rooms/room-feeds.ts'
import { RoomNames } from './rooms/room-names.ts'
import { SlowMembers } from './rooms/slow-members.ts'
import { TrackedRooms } from './rooms/tracked-rooms.ts'
import { UserNotices } from './rooms/user-notices.ts'
import { Session } from './session.ts'

/** Between workers: a user has removed a direct room. */
const ROOM_FORGOTTEN = 'rookery:room-forgotten'

/** What an application that mounts the chat decides. */
export interface Mounting {
  /** Rejects with the `RookeryError` that refuses the client. By default the settings say who it is. */
  authenticate?: ((socket: Socket) => Promise<Identity>) | undefined
  authorize?: Authorize | undefined
  /** Kinds of its own that clients may append. */
  kinds?: readonly string[] | undefined
  /** Whether the HTTP API is served. By default it is. */
  api?: boolean
}

const chat: App = (io, context) => serveChat(io.of('/'), context)

export default chat

export function serveChat(io: Namespace, appContext: AppContext, mounting: Mounting = {}): void {
  const metrics = chatMetrics(appContext.metrics)
  const bySettings = authenticator(appContext.settings, () => appContext.now())
  const { authenticate = (socket: Socket) => bySettings(socket.handshake.auth), api: hasApi = true } =
    mounting
  const isPersistentUser =
    mounting.authenticate === undefined ? persistentUsers(appContext.settings) : () => true
  const people = new People(isPersistentUser)
  const context = { ...appContext, rooms: people.reading(appContext.rooms) }
  const identityOf = authenticateConnections(io, {
    authenticate,
    limits: context.limits,
    isPersistentUser,
    logger: context.logger,
  })
  const trackedRooms = new TrackedRooms({
    rooms: context.rooms,
    isPersistentUser,
    announce: (userId, room) => void io.serverSideEmit(ROOM_FORGOTTEN, userId, room),
  })
  io.on(ROOM_FORGOTTEN, (userId: string, room: string) => trackedRooms.forgotten(userId, room))
  const slow = new SlowMembers({
    bounds: context.settings,
    unsentBytes: (socket) => context.unsentBytes(socket),
    metrics,
    logger: context.logger,
  })
  const feeds = openFeeds(context, metrics, slow)
  const memberships = new Memberships({
    rooms: context.rooms,
    feeds,
    trackedRooms,
    isPersistentUser,
    roomsPerSocket: context.settings.roomsPerSocket,
    joins: metrics.joins,
    untracked: metrics.untracked,
  })
  const notices = new UserNotices(io)
  const names = new RoomNames(context.rooms)
  const handlers = createRequestHandlers({
    context,
    memberships,
    trackedRooms,
    markers: new ReadMarkers(),
    isPersistentUser,
    notices,
    findPeople: peopleSearch(io, people, (err) =>
      context.logger.warn({ err }, 'a search for people is incomplete'),
    ),
    names,
    access: new Access(mounting.authorize),
    ownKinds: new Set(mounting.kinds),
  })
  const limits = rates(context.settings)
  const dispatcher = new RequestDispatcher({
    handlers,
    rates: limits,
    metrics,
    logger: context.logger,
  })
  const sessions = new Map<Socket, Session>()
  const welcome = createWelcome(io, context)
  io.on('connection', (socket) => {
    const identity = identityOf(socket)
    const { user } = identity
    const session = new Session(socket, user, {
      isSlow: () => context.unsentBytes(socket) > context.settings.slowClientBytes,
      takePage: async () => {
        await limits.page(user.id)
        if (isPersistentUser(user.id)) await context.limits.takePage(user.id)
      },
      onWait: () => metrics.pageWaits.inc(),
    })
    sessions.set(socket, session)
    people.connected(user)
    metrics.sessions.set(sessions.size)
    metrics.people.set(people.size)
    socket.onAny((event: unknown, ...args: unknown[]) => void dispatcher.serve(session, event, args))
    socket.once('disconnect', () => {
      sessions.delete(socket)
      people.disconnected(user)
      metrics.sessions.set(sessions.size)
      metrics.people.set(people.size)
      memberships.drop(session)
    })
    notices
      .subscribe(session)
      .catch((err: unknown) => context.logger.warn({ err }, 'a user will not be notified of direct messages'))
    welcome(socket, identity)
  })
  context.onDrain({
    notice: (socket, reconnectInMs) => {
      if (sessions.has(socket)) socket.emit('draining', { reconnectInMs })
    },
    settle: async (socket) => sessions.get(socket)?.finishRequests(),
  })
  if (hasApi) context.http.route('/api', api({ context, trackedRooms, notices, names, metrics }))
}

function openFeeds(context: AppContext, metrics: ChatMetrics, slow: SlowMembers): RoomFeeds {
  const output: FeedOutput = {
    fanOut: (sockets: Iterable<Socket>, event: string, payload: unknown) =>
      context.fanOut(sockets, event, payload),
    // A slow client gets nothing more, typing and read events included.
    onSlow: (member: Member) => {
      slow.add(member)
      void changeChannel(member, 'leave')
    },
    onRecovered: (member: Member) => void changeChannel(member, 'join'),
    onDelivered: (count: number) => metrics.delivered.inc(count),
    onGap: () => metrics.gaps.inc(),
  }
  const changeChannel = async (member: Member, change: 'join' | 'leave'): Promise<void> => {
    try {
      await member.socket[change](channelOf(member.feed.room))
    } catch (error) {
      context.logger.warn({ err: error, change }, 'a slow member could not leave or join its channel')
    }
  }
  return new RoomFeeds({ rooms: context.rooms, output, logger: context.logger, openRooms: metrics.openRooms })
}

/** Sends each new socket its `welcome`, and all sockets every change of the cluster's state. */
function createWelcome(io: Namespace, context: AppContext): (socket: Socket, identity: Identity) => void {
  let cluster: ClusterState = { state: 'ok' }
  context.onClusterState((state) => {
    const changed = state.state !== cluster.state
    cluster = state
    if (changed) io.local.emit('cluster', state)
  })
  const limits = limitsOf(context)
  return (socket, { user, expiresAtMs }) => {
    const welcome: ChatEvents['welcome'] = { user, host: context.host, worker: context.worker, limits }
    socket.emit('welcome', welcome)
    if (cluster.state === 'degraded') socket.emit('cluster', cluster)
    if (expiresAtMs !== undefined) closeAtExpiry(socket, expiresAtMs, () => context.now())
  }
}

function limitsOf({ settings }: AppContext): ChatLimits {
  return {
    textMaxChars: settings.textMaxChars,
    nameMaxChars: NAME_MAX_CHARS,
    roomMaxChars: ROOM_MAX_CHARS,
    idMaxChars: 64,
    historyDefault: HISTORY_DEFAULT,
    historyMax: HISTORY_MAX,
    roomsPerSocket: settings.roomsPerSocket,
    messageRate: settings.messageRate,
    messageBurst: settings.messageBurst,
    requestRate: settings.requestRate,
    requestBurst: settings.requestBurst,
    membersShown: MEMBERS_SHOWN,
  }
}
