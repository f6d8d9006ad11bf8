/**
 * Who is in which room of this host: a table and nothing else, without I/O or time. A user counts once a room however
 * many connections, on however many workers, brought it there. Changes are collected until somebody takes them.
 */
import { MEMBERS_SHOWN, type RoomMembers } from '../wire/app.ts'
import type { Author } from '../wire/entry.ts'

export interface RoomPresenceChange {
  room: string
  /** Empty, like `left`, in rooms of more than `MEMBERS_SHOWN` members. */
  joined: Author[]
  left: { id: string }[]
  count: number
}

interface Member {
  user: Author
  /** Connections, by worker. */
  connections: Map<string, number>
}

interface Room {
  /** In the order of their coming. */
  members: Map<string, Member>
  joined: Set<string>
  left: Set<string>
}

export class PresenceTable {
  readonly #rooms = new Map<string, Room>()
  /** Rooms that a worker has connections in, so that its death costs what it held. */
  readonly #roomsOfWorker = new Map<string, Map<string, Set<string>>>()
  readonly #changed = new Set<string>()

  /** Counts one more connection of `user`. @returns who is there, the user included */
  enter(worker: string, room: string, user: Author): RoomMembers {
    const state = this.#room(room)
    const member = state.members.get(user.id) ?? this.#come(room, state, user)
    member.user = user
    member.connections.set(worker, (member.connections.get(worker) ?? 0) + 1)
    this.#usersOf(worker, room).add(user.id)
    return membersOf(state)
  }

  /** Counts one connection less. Nothing happens if the worker had none of that user in that room. */
  leave(worker: string, room: string, userId: string): void {
    const member = this.#rooms.get(room)?.members.get(userId)
    const connections = member?.connections.get(worker)
    if (member === undefined || connections === undefined) return
    if (connections > 1) member.connections.set(worker, connections - 1)
    else this.#withdraw(worker, room, userId)
  }

  members(room: string): RoomMembers {
    const state = this.#rooms.get(room)
    return state === undefined ? { members: [], count: 0 } : membersOf(state)
  }

  /** Takes back all that a dead worker had counted. */
  dropWorker(worker: string): void {
    const rooms = this.#roomsOfWorker.get(worker) ?? new Map<string, Set<string>>()
    for (const [room, users] of rooms) {
      for (const userId of users) this.#withdraw(worker, room, userId)
    }
    this.#roomsOfWorker.delete(worker)
  }

  /** What has changed since the last call. Who left and came back, or came and left, meanwhile is in neither list. */
  takeChanges(): RoomPresenceChange[] {
    const changes: RoomPresenceChange[] = []
    for (const room of this.#changed) {
      const state = this.#rooms.get(room)
      if (state === undefined) continue
      if (state.joined.size + state.left.size > 0) changes.push(changeOf(room, state))
      state.joined.clear()
      state.left.clear()
      if (state.members.size === 0) this.#rooms.delete(room)
    }
    this.#changed.clear()
    return changes
  }

  /** Rooms that take up memory: those with members, and those with changes nobody has taken yet. */
  get size(): number {
    return this.#rooms.size
  }

  #room(room: string): Room {
    const known = this.#rooms.get(room)
    if (known !== undefined) return known
    const fresh: Room = { members: new Map(), joined: new Set(), left: new Set() }
    this.#rooms.set(room, fresh)
    return fresh
  }

  #usersOf(worker: string, room: string): Set<string> {
    const rooms = this.#roomsOfWorker.get(worker) ?? new Map<string, Set<string>>()
    this.#roomsOfWorker.set(worker, rooms)
    const users = rooms.get(room) ?? new Set<string>()
    rooms.set(room, users)
    return users
  }

  #come(room: string, state: Room, user: Author): Member {
    const member: Member = { user, connections: new Map() }
    state.members.set(user.id, member)
    if (!state.left.delete(user.id)) state.joined.add(user.id)
    this.#changed.add(room)
    return member
  }

  /** The last connection that this worker had of the user in the room is gone. */
  #withdraw(worker: string, room: string, userId: string): void {
    const rooms = this.#roomsOfWorker.get(worker)
    const users = rooms?.get(room)
    users?.delete(userId)
    if (users?.size === 0) rooms?.delete(room)
    if (rooms?.size === 0) this.#roomsOfWorker.delete(worker)

    const state = this.#rooms.get(room)
    const member = state?.members.get(userId)
    member?.connections.delete(worker)
    if (state !== undefined && member?.connections.size === 0) this.#go(room, state, userId)
  }

  #go(room: string, state: Room, userId: string): void {
    state.members.delete(userId)
    if (!state.joined.delete(userId)) state.left.add(userId)
    this.#changed.add(room)
  }
}

function membersOf(state: Room): RoomMembers {
  const members: Author[] = []
  for (const { user } of state.members.values()) {
    if (members.length === MEMBERS_SHOWN) break
    members.push(user)
  }
  return { members, count: state.members.size }
}

function changeOf(room: string, state: Room): RoomPresenceChange {
  const count = state.members.size
  if (count > MEMBERS_SHOWN) return { room, joined: [], left: [], count }
  const joined = [...state.joined].flatMap((id) => state.members.get(id)?.user ?? [])
  return { room, joined, left: [...state.left].map((id) => ({ id })), count }
}
