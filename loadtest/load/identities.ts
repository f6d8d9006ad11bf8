/**
 * The users that the clients of a run are in the chat, and their rooms. The same for all connections of a
 * run, and different from other runs. Pure.
 */
import { guestId } from '../../src/chat/auth/guest.ts'
import { directRoom } from '../../src/wire/chat-direct.ts'
import type { HostedClient, WantedClient } from '../model/plan.ts'

export interface GuestAuth {
  name: string
  key: string
}

export function guestAuth(run: string, index: number): GuestAuth {
  return { name: `${run}-${index}`, key: `key of client ${index} in run ${run}` }
}

/** All room names contain the run, so runs do not receive each other's messages. */
export function inRunRooms(clients: readonly WantedClient[], run: string): HostedClient[] {
  return clients.map(({ directWith = [], ...client }) => ({
    ...client,
    rooms: [
      ...client.rooms.map((room) => `${run}-${room}`),
      ...directWith.map((other) => directRoomOf(run, client.index, other)),
    ],
  }))
}

/** Open to these two clients only; the server derives their ids from their keys. */
function directRoomOf(run: string, index: number, other: number): string {
  const [own, theirs] = [index, other].map((each) => guestId(guestAuth(run, each).key))
  const room = directRoom(own ?? '', theirs ?? '')
  if (room === undefined) throw new Error(`clients ${index} and ${other} can have no direct room`)
  return room
}
