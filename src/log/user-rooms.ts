/** Own rooms and read markers of a user, changed inside the writer's transaction. */
import { RookeryError } from '../wire/errors.ts'
import { AFTER_ROOM_NAMES, type Tables } from './environment.ts'
import { roomRecord } from './log-reads.ts'

export function isTracked(tables: Tables, userId: string, room: string): boolean {
  return tables.userRooms.get([userId, room]) !== undefined
}

/** What the room has so far is not unread: unread counts start when the room becomes one of the user's own. */
export function track(tables: Tables, userId: string, room: string, roomsPerUser: number): void {
  if (isTracked(tables, userId, room)) return
  const own = tables.userRooms.getKeysCount({ start: [userId], end: [userId, AFTER_ROOM_NAMES] })
  if (own >= roomsPerUser) {
    throw new RookeryError('forbidden', `a user can have ${roomsPerUser} rooms; leave one for good first`)
  }
  tables.userRooms.putSync([userId, room], roomRecord(tables, room).head)
}

export function forget(tables: Tables, userId: string, room: string): void {
  tables.userRooms.removeSync([userId, room])
}

/** @returns the new marker */
export function mark(tables: Tables, userId: string, room: string, seq: number): number {
  const read = tables.userRooms.get([userId, room])
  if (read === undefined) throw new RookeryError('not_joined', 'this is not one of the rooms of the user')
  const moved = Math.max(read, Math.min(seq, roomRecord(tables, room).head))
  if (moved > read) tables.userRooms.putSync([userId, room], moved)
  return moved
}
