/**
 * Table of who is in which room. No I/O, no time. A user counts once per room, however many sessions,
 * connections and workers. A session is identified by its id: entering or leaving twice has the same effect
 * as once. Changes are collected until they are taken.
 */
import { bestMatches, foldedName } from '../../core/name-search.ts'
import { FOUND_MAX, MEMBERS_SHOWN, type MembersView, type RoomMembers } from '../../wire/app.ts'
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
  /** The name as searches compare it; made by the first one. */
  folded?: string
  /** By worker. */
  sessions: Map<string, Set<string>>
}

/** A user who has joined or left since the last report. */
interface Change {
  /** Whether the user was a member at the last report. */
  readonly was: boolean
  /** Reads of the members before the user's state began to differ from `was`. */
  readsBefore: number
  /** The members were read while the state differed from `was`. */
  isKnown: boolean
  /** Left, and held back by the last call of `takeChanges`. */
  isHeldBack: boolean
}

interface Room {
  /** In the order of arrival. */
  members: Map<string, Member>
  changes: Map<string, Change>
  /** How often the members were read, by those who enter and by others. */
  reads: number
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
    // The user's own reading tells nobody else.
    this.#add(worker, { room, user, sessionId }, { state, reads: state.reads + 1 })
    return readMembers(state, this.#shown)
  }

  /** Like `enter`, by somebody who does not ask for the members. */
  add(worker: string, entering: { room: string; user: Author; sessionId: string }): void {
    const state = this.#room(entering.room)
    this.#add(worker, entering, { state, reads: state.reads })
  }

  /** Has no effect if there is no such session. */
  leave(worker: string, { room, userId, sessionId }: PresenceSession): void {
    const sessions = this.#rooms.get(room)?.members.get(userId)?.sessions.get(worker)
    if (sessions?.delete(sessionId) === true && sessions.size === 0) this.#withdraw(worker, room, userId)
  }

  members(room: string, view?: MembersView): RoomMembers {
    const state = this.#rooms.get(room)
    return state === undefined ? { members: [], count: 0 } : readMembers(state, this.#shown, view)
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
   * Changes since the last call. Users that left and came back, or joined and left, are in neither list, unless
   * somebody has read the members meanwhile: then the present state is reported.
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
      const { joined, left } = takeReportable(state, holdBack)
      if (joined.length + left.length > 0)
        changes.push(changeOf(room, state, { joined, left, shown: this.#shown }))
      if (state.changes.size > 0) kept.push(room)
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
    const fresh: Room = { members: new Map(), changes: new Map(), reads: 0 }
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

  #add(
    worker: string,
    { room, user, sessionId }: { room: string; user: Author; sessionId: string },
    { state, reads }: { state: Room; reads: number },
  ): void {
    const member = state.members.get(user.id) ?? this.#addMember(room, state, { user, reads })
    if (member.user.name !== user.name) delete member.folded
    member.user = user
    const sessions = member.sessions.get(worker) ?? new Set<string>()
    member.sessions.set(worker, sessions.add(sessionId))
    this.#usersOf(worker, room).add(user.id)
  }

  #addMember(room: string, state: Room, { user, reads }: { user: Author; reads: number }): Member {
    const member: Member = { user, sessions: new Map() }
    noteChange(state, user.id, { isMember: true, reads })
    state.members.set(user.id, member)
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
    noteChange(state, userId, { isMember: false, reads: state.reads })
    state.members.delete(userId)
    this.#changed.add(room)
  }
}

function readMembers(state: Room, shown: number, view: MembersView = {}): RoomMembers {
  state.reads += 1
  const members = view.search === undefined ? listed(state, shown, view.after) : found(state, view.search)
  return { members, count: state.members.size }
}

function listed({ members }: Room, shown: number, after: string | undefined): Author[] {
  const list: Author[] = []
  let skips = after !== undefined && members.has(after)
  for (const [id, { user }] of members) {
    if (list.length === shown) break
    if (!skips) list.push(user)
    else if (id === after) skips = false
  }
  return list
}

function nameOf(member: Member): string {
  member.folded ??= foldedName(member.user.name)
  return member.folded
}

function found({ members }: Room, search: string): Author[] {
  const matches = bestMatches(members.values(), { wanted: foldedName(search), nameOf, max: FOUND_MAX })
  return matches.map(({ user }) => user)
}

/** @param reads the number of reads from which on somebody else knows the new state */
function noteChange(state: Room, userId: string, now: { isMember: boolean; reads: number }): void {
  const known = state.changes.get(userId)
  if (known === undefined) {
    const fresh = { was: !now.isMember, readsBefore: now.reads, isKnown: false, isHeldBack: false }
    state.changes.set(userId, fresh)
    return
  }
  known.isHeldBack = false
  if (now.isMember !== known.was) known.readsBefore = now.reads
  else if (state.reads > known.readsBefore) known.isKnown = true
}

/** Takes what is to be reported, and forgets what is over. */
function takeReportable(state: Room, holdBack: boolean): { joined: Author[]; left: string[] } {
  const joined: Author[] = []
  const left: string[] = []
  for (const [id, change] of state.changes) {
    const user = state.members.get(id)?.user
    const isReported = change.isKnown || change.was !== (user !== undefined)
    if (isReported && user === undefined && holdBack && !change.isHeldBack) {
      change.isHeldBack = true
      continue
    }
    state.changes.delete(id)
    if (!isReported) continue
    if (user === undefined) left.push(id)
    else joined.push(user)
  }
  return { joined, left }
}

/** Users that are held back still count. */
function countOf({ members, changes }: Room): number {
  let count = members.size
  for (const [id, { was }] of changes) if (was && !members.has(id)) count += 1
  return count
}

function changeOf(
  room: string,
  state: Room,
  { joined, left, shown }: { joined: Author[]; left: readonly string[]; shown: number },
): RoomPresenceChange {
  const count = countOf(state)
  if (count > shown) return { room, joined: [], left: [], count }
  return { room, joined, left: left.map((id) => ({ id })), count }
}
