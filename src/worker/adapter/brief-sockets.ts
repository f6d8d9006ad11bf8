/**
 * Answers that say less than `fetchSockets`: ids of sockets, or rooms. In the shape of fetched sockets, since a host of
 * an earlier version answers with whole sockets.
 */
import type { Adapter } from 'socket.io-adapter'
import { roomsElsewhere } from './broadcast-options.ts'
import type { FetchedSocket } from './messages.ts'

export type Brief = 'ids' | 'rooms'

const NOTHING = { handshake: null, data: null }

/** `rooms`: all of this server, as those of one socket. */
export function briefSockets(
  only: Brief,
  { rooms, ids }: Pick<Adapter, 'rooms'> & { ids: Iterable<string> },
) {
  if (only === 'rooms') return [{ ...NOTHING, id: '', rooms: roomsElsewhere(rooms.keys()) }]
  return [...ids].map((id) => ({ ...NOTHING, id, rooms: [] }))
}

export function withIds(own: Set<string>, others: readonly FetchedSocket[]): Set<string> {
  return new Set([...own, ...others.map(({ id }) => id)])
}

export function withRooms(own: Set<string>, others: readonly FetchedSocket[]): Set<string> {
  // The type declarations say string, but numbers work too.
  return new Set([...own, ...others.flatMap(({ rooms }) => rooms as string[])])
}
