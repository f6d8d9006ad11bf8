/** Handlers of the workers' requests to log, presence, limits, leases and about the hosts. */
import type { RoomLog } from '../../log/room-log.ts'
import type { Result, WorkerRequests } from '../../wire/requests.ts'
import type { Leases } from '../leases/index.ts'
import type { UserLimits } from '../limits/index.ts'
import type { PresenceNotifier } from '../presence/index.ts'
import type { RelayHandlers } from './relay.ts'

export interface Handled {
  log: RoomLog
  presence: PresenceNotifier
  limits: UserLimits
  leases: Leases
  /** What is known of the hosts. */
  hosts: () => Result<WorkerRequests, 'cluster.hosts'>
}

export function createHandlers({ log, presence, limits, leases, hosts }: Handled): RelayHandlers {
  return {
    'host.alive': () => null,
    'log.append': async ({ room, draft, limited }) => {
      if (limited === true) await limits.takeMessage(draft.from.id)
      return log.append(room, draft)
    },
    'user.track': async ({ userId, room }) => {
      await log.trackRoom(userId, room)
      return null
    },
    'user.forget': async ({ userId, room }) => {
      await log.forgetRoom(userId, room)
      return null
    },
    'log.head': ({ room }) => log.head(room),
    'log.read': ({ room, range }) => log.read(room, range),
    'user.rooms': ({ userId }) => log.userRooms(userId),
    'user.read': ({ userId, room, seq }) => log.markRead(userId, room, seq),
    'presence.enter': (entering, from) => presence.enter(from, entering),
    'presence.leave': (session, from) => {
      presence.leave(from, session)
      return null
    },
    'presence.members': ({ room, ...view }) => presence.members(room, view),
    'page.take': async ({ userId }) => {
      await limits.takePage(userId)
      return null
    },
    'connection.enter': async (connection, from) => {
      await limits.enter(from, connection)
      return null
    },
    'connection.leave': (connection, from) => {
      limits.leave(from, connection)
      return null
    },
    'cluster.hosts': () => hosts(),
    'lease.hold': ({ name }, from) => leases.hold(from, name),
    'lease.ran': ({ name }, from) => leases.ran(from, name),
    'lease.end': async ({ name }, from) => {
      await leases.end(from, name)
      return null
    },
  }
}
