/** Who the clients of a run are to the chat, and the rooms that follow from it. The same in all connections of a run, and no other run's. Pure. */
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

/** So that nobody else's messages of an earlier or another run are heard: all rooms have the run in their names. */
export function inRunRooms(clients: readonly WantedClient[], run: string): HostedClient[] {
  return clients.map(({ directWith = [], ...client }) => ({
    ...client,
    rooms: [
      ...client.rooms.map((room) => `${run}-${room}`),
      ...directWith.map((other) => directRoomOf(run, client.index, other)),
    ],
  }))
}

/** Open to these two clients alone; the server knows them by the ids that it makes of their keys. */
function directRoomOf(run: string, index: number, other: number): string {
  const [own, theirs] = [index, other].map((each) => guestId(guestAuth(run, each).key))
  const room = directRoom(own ?? '', theirs ?? '')
  if (room === undefined) throw new Error(`clients ${index} and ${other} can have no direct room`)
  return room
}
