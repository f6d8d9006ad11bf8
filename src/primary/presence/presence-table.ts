/**
 * Table of who is in which room. No I/O, no time. A user counts once per room, however many sessions,
 * connections and workers. A session is identified by its id: entering or leaving twice has the same effect
 * as once. Changes are collected until they are taken.
 */
import { MEMBERS_SHOWN, type RoomMembers } from '../../wire/app.ts'
import type { Author } from '../../wire/entry.ts'

export interface RoomPresenceChange {
  room: string
  /** `joined` and `left` are empty in rooms with more members than are named. */
  joined: Author[]
  left: { id: string }[]
  count: number
}

/** One connection's being in a room, from entering to leaving. */
export interface PresenceSession {
  room: string
  userId: string
  /** Unique on its worker and never reused. */
  sessionId: string
}

interface Member {
  user: Author
  /** By worker. */
  sessions: Map<string, Set<string>>
}

interface Room {
  /** In the order of arrival. */
  members: Map<string, Member>
  joined: Set<string>
  left: Set<string>
  /** Users that left and were held back by the last call of `takeChanges`. */
  heldBack: Set<string>
}

export class PresenceTable {
  readonly #rooms = new Map<string, Room>()
  /** Users of each worker by room. The cost of a worker's death depends only on its own sessions. */
  readonly #roomsOfWorker = new Map<string, Map<string, Set<string>>>()
  readonly #changed = new Set<string>()
  readonly #shown: number

  /** @param shown most members that are named. In larger rooms, changes contain only the count. */
  constructor(shown = MEMBERS_SHOWN) {
    this.#shown = shown
  }

  /** @returns the members of the room, including the user */
  enter(
    worker: string,
    { room, user, sessionId }: { room: string; user: Author; sessionId: string },
  ): RoomMembers {
    const state = this.#room(room)
    const member = state.members.get(user.id) ?? this.#addMember(room, state, user)
    member.user = user
    const sessions = member.sessions.get(worker) ?? new Set<string>()
    member.sessions.set(worker, sessions.add(sessionId))
    this.#usersOf(worker, room).add(user.id)
    return membersOf(state, this.#shown)
  }

  /** Has no effect if there is no such session. */
  leave(worker: string, { room, userId, sessionId }: PresenceSession): void {
    const sessions = this.#rooms.get(room)?.members.get(userId)?.sessions.get(worker)
    if (sessions?.delete(sessionId) === true && sessions.size === 0) this.#withdraw(worker, room, userId)
  }

  members(room: string): RoomMembers {
    const state = this.#rooms.get(room)
    return state === undefined ? { members: [], count: 0 } : membersOf(state, this.#shown)
  }

  /** Ends all sessions of a dead worker. */
  dropWorker(worker: string): void {
    const rooms = this.#roomsOfWorker.get(worker) ?? new Map<string, Set<string>>()
    for (const [room, users] of rooms) {
      for (const userId of users) this.#withdraw(worker, room, userId)
    }
    this.#roomsOfWorker.delete(worker)
  }

  /** Whether changes are pending or held back. */
  get changed(): boolean {
    return this.#changed.size > 0
  }

  /**
   * Changes since the last call. Users that left and came back, or joined and left, are in neither list.
   * @param holdBack a user that left since the last call is reported by the next one, unless back by then
   * @param isDue whether a room with this many members may be reported now; changes of other rooms are kept
   */
  takeChanges(
    holdBack = false,
    isDue: (room: string, count: number) => boolean = () => true,
  ): RoomPresenceChange[] {
    const changes: RoomPresenceChange[] = []
    const kept: string[] = []
    for (const room of this.#changed) {
      const state = this.#rooms.get(room)
      if (state === undefined) continue
      if (!isDue(room, countOf(state))) {
        kept.push(room)
        continue
      }
      const left = takeLeft(state, holdBack)
      if (state.joined.size + left.length > 0) changes.push(changeOf(room, state, left, this.#shown))
      state.joined.clear()
      if (state.left.size > 0) kept.push(room)
      else if (state.members.size === 0) this.#rooms.delete(room)
    }
    this.#changed.clear()
    for (const room of kept) this.#changed.add(room)
    return changes
  }

  /** Rooms in memory: those with members, and those with pending changes. */
  get size(): number {
    return this.#rooms.size
  }

  #room(room: string): Room {
    const known = this.#rooms.get(room)
    if (known !== undefined) return known
    const fresh: Room = { members: new Map(), joined: new Set(), left: new Set(), heldBack: new Set() }
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

  #addMember(room: string, state: Room, user: Author): Member {
    const member: Member = { user, sessions: new Map() }
    state.members.set(user.id, member)
    state.heldBack.delete(user.id)
    if (!state.left.delete(user.id)) state.joined.add(user.id)
    this.#changed.add(room)
    return member
  }

  /** The user's last session in the room on this worker has ended. */
  #withdraw(worker: string, room: string, userId: string): void {
    const rooms = this.#roomsOfWorker.get(worker)
    const users = rooms?.get(room)
    users?.delete(userId)
    if (users?.size === 0) rooms?.delete(room)
    if (rooms?.size === 0) this.#roomsOfWorker.delete(worker)

    const state = this.#rooms.get(room)
    const member = state?.members.get(userId)
    member?.sessions.delete(worker)
    if (state !== undefined && member?.sessions.size === 0) this.#removeMember(room, state, userId)
  }

  #removeMember(room: string, state: Room, userId: string): void {
    state.members.delete(userId)
    if (!state.joined.delete(userId)) state.left.add(userId)
    this.#changed.add(room)
  }
}

function membersOf(state: Room, shown: number): RoomMembers {
  const members: Author[] = []
  for (const { user } of state.members.values()) {
    if (members.length === shown) break
    members.push(user)
  }
  return { members, count: state.members.size }
}

/** Users to report as left. */
function takeLeft(state: Room, holdBack: boolean): string[] {
  const taken = [...state.left].filter((id) => !holdBack || state.heldBack.has(id))
  for (const id of taken) state.left.delete(id)
  state.heldBack = new Set(state.left)
  return taken
}

/** Users that are held back still count. */
function countOf({ members, left }: Room): number {
  return members.size + left.size
}

function changeOf(room: string, state: Room, left: readonly string[], shown: number): RoomPresenceChange {
  const count = countOf(state)
  if (count > shown) return { room, joined: [], left: [], count }
  const joined = [...state.joined].flatMap((id) => state.members.get(id)?.user ?? [])
  return { room, joined, left: left.map((id) => ({ id })), count }
}
