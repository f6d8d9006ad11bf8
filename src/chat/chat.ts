/**
 * The chat: the application that Rookery runs unless it is given another. Puts the parts together and connects them to
 * the server; decides nothing itself. Runs in every worker, and knows neither the primary nor the store.
 */
import type { Server, Socket } from 'socket.io'
import type { App, AppContext, ClusterState } from '../wire/app.ts'
import { MEMBERS_SHOWN } from '../wire/app.ts'
import type { ChatEvents, ChatLimits } from '../wire/chat.ts'
import { HISTORY_DEFAULT, HISTORY_MAX } from '../wire/chat.ts'
import { api } from './api.ts'
import type { Identity } from './auth/identity.ts'
import { authenticator, closeAtExpiry, guardConnections, lastingUsers } from './auth/identity.ts'
import type { ChatMetrics } from './metrics.ts'
import { chatMetrics } from './metrics.ts'
import { RequestDesk } from './requests/dispatcher.ts'
import { rates } from './requests/rate.ts'
import { ReadMarkers } from './requests/read-markers.ts'
import { requestTable } from './requests/requests.ts'
import { RecentTracks } from './requests/tracked-rooms.ts'
import { channelOf, Memberships } from './rooms/memberships.ts'
import type { Member, Outlet } from './rooms/room-feed.ts'
import { Feeds } from './rooms/room-feeds.ts'
import { SlowMembers } from './rooms/slow-members.ts'
import { Notices } from './rooms/user-notices.ts'
import { Session } from './session.ts'

const chat: App = (io, context) => {
  const metrics = chatMetrics(context.metrics)
  const lasts = lastingUsers(context.settings)
  const identityOf = guardConnections(io, {
    authenticate: authenticator(context.settings),
    limits: context.limits,
    lasts,
    logger: context.logger,
  })
  const tracks = new RecentTracks(context.rooms, lasts)
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
    tracks,
    lasts,
    roomsPerSocket: context.settings.roomsPerSocket,
    joins: metrics.joins,
    untracked: metrics.untracked,
  })
  const notices = new Notices(io)
  const table = requestTable({
    context,
    memberships,
    tracks,
    markers: new ReadMarkers(),
    lasts,
    notices,
  })
  const desk = new RequestDesk({
    table,
    rates: rates(context.settings),
    metrics,
    logger: context.logger,
  })
  const sessions = new Map<Socket, Session>()
  const greet = greeter(io, context)
  io.on('connection', (socket) => {
    const identity = identityOf(socket)
    const { user } = identity
    const session = new Session(socket, user, {
      isBehind: () => context.unsentBytes(socket) > context.settings.slowClientBytes,
      takePage: async () => {
        if (lasts(user.id)) await context.limits.takePage(user.id)
      },
    })
    sessions.set(socket, session)
    metrics.sessions.set(sessions.size)
    socket.onAny((event: unknown, ...args: unknown[]) => void desk.serve(session, event, args))
    socket.once('disconnect', () => {
      sessions.delete(socket)
      metrics.sessions.set(sessions.size)
      memberships.drop(session)
    })
    notices
      .reach(session)
      .catch((err: unknown) => context.logger.warn({ err }, 'a user is not told of direct messages'))
    greet(socket, identity)
  })
  context.onDrain({
    notice: (socket, reconnectInMs) => socket.emit('draining', { reconnectInMs }),
    settle: async (socket) => sessions.get(socket)?.settle(),
  })
  context.http.route('/api', api({ context, tracks, notices, metrics }))
}

export default chat

function openFeeds(context: AppContext, metrics: ChatMetrics, slow: SlowMembers): Feeds {
  const outlet: Outlet = {
    fanOut: (sockets: Iterable<Socket>, event: string, payload: unknown) =>
      context.fanOut(sockets, event, payload),
    // A slow client is sent nothing more, what is told of others' typing and reading included.
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
      context.logger.warn({ err: error, change }, 'a slow member could not change its channel')
    }
  }
  return new Feeds({ rooms: context.rooms, outlet, logger: context.logger, openRooms: metrics.openRooms })
}

/** Tells a new socket who it is and where, and all sockets how the cluster is. */
function greeter(io: Server, context: AppContext): (socket: Socket, identity: Identity) => void {
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
    if (expiresAtMs !== undefined) closeAtExpiry(socket, expiresAtMs)
  }
}

function limitsOf({ settings }: AppContext): ChatLimits {
  return {
    textMaxChars: settings.textMaxChars,
    nameMaxChars: 64,
    roomMaxChars: 64,
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
