/**
 * Rooms as an application sees them. Appends and presence go through the link, reads go to the log. A
 * subscription delivers a room's entries in log order without gaps: entries that the relay dropped are read
 * from the log before later ones are delivered.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { z } from 'zod'
import { LogThrottle } from '../../core/log-throttle.ts'
import type { RoomLogReader } from '../../log/room-log.ts'
import type { RoomListener, RoomSubscription, Rooms } from '../../wire/app.ts'
import { roomName, storedUserId } from '../../wire/entry.ts'
import { readRange } from '../../wire/requests.ts'
import { roomTopic } from '../../wire/topics.ts'
import { validate } from '../../wire/validate.ts'
import type { Link } from '../link/index.ts'
import { draftOf } from './own-entries.ts'
import { PresenceSessions } from './presence-sessions.ts'
import { RoomStream } from './room-stream.ts'

/** Least time between two log lines about rooms that can't be read. */
const UNREADABLE_LOG_MS = 5_000

const aFunction = z.custom((value) => typeof value === 'function', 'a function is expected')
const roomListener = z.looseObject({
  entries: aFunction,
  reset: aFunction.optional(),
  presence: aFunction.optional(),
})

/** An application may pass on what a client has sent. */
const checkRoom = (room: string): string => validate(roomName, room, 'room')

export interface RoomsOptions {
  link: Link
  reader: RoomLogReader
  logger: Logger
  registry: Registry
}

export function createRooms({ link, reader, logger, registry }: RoomsOptions): Rooms {
  const streams = new Map<string, Set<RoomStream>>()
  const repairs = new Counter({
    name: 'rookery_room_holes_repaired_total',
    help: 'Times that entries dropped by the relay were read from the log',
    registers: [registry],
  })
  link.onEntry((entry) => {
    for (const stream of streams.get(entry.room) ?? []) stream.push(entry)
  })
  link.onEvent((event) => {
    if (event.type === 'state') return
    const presence = event.type === 'presence' ? event : event.presence
    for (const stream of streams.get(event.room) ?? []) {
      if (event.type === 'behind') stream.catchUp()
      if (presence !== undefined) stream.listener.presence?.(presence)
    }
  })
  const throttle = new LogThrottle(UNREADABLE_LOG_MS)

  const open = async (room: string, listener: RoomListener): Promise<RoomSubscription> => {
    checkRoom(room)
    validate(roomListener, listener, 'listener')
    const stream = new RoomStream({ room, listener, reader, logger, throttle, repairs })
    const set = streams.get(room) ?? new Set()
    streams.set(room, set.add(stream))
    const close = () => {
      if (!set.delete(stream)) return
      if (set.size === 0 && streams.get(room) === set) streams.delete(room)
      stream.close()
      link.unsubscribe(roomTopic(room))
    }
    try {
      await link.subscribe(roomTopic(room))
      await stream.start()
    } catch (error) {
      close()
      throw error
    }
    return { close }
  }

  const sessions = new PresenceSessions({ link, logger, registry })

  return {
    open,
    append: async (room, entry, { limited = false } = {}) =>
      link.request('log.append', { room, draft: draftOf(entry), limited }),
    read: async (room, range) => reader.read(checkRoom(room), validate(readRange, range, 'range')),
    enter: (room, user, sessionId) => sessions.enter(room, user, sessionId),
    leave: (room, userId, sessionId) => sessions.leave(room, userId, sessionId),
    members: (room, view) => link.request('presence.members', { room, ...view }),
    trackRoom: async (userId, room) => {
      await link.request('user.track', { userId, room })
    },
    forgetRoom: async (userId, room) => {
      await link.request('user.forget', { userId, room })
    },
    markRead: (userId, room, seq) => link.request('user.read', { userId, room, seq }),
    userRooms: async (userId) => reader.userRooms(validate(storedUserId, userId, 'userId')),
  }
}
