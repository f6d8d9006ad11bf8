/**
 * Who is in which room by way of other hosts, as they tell it: by host and room, kept up by numbered changes. A number left
 * out makes it unsure until that host has told the whole room anew; what was known is kept meanwhile. Rooms that nobody
 * here wants are not kept. Pure; bounded: past the bound users are not taken in.
 */
import type { Author } from '../../wire/entry.ts'
import type { PresenceDelta, PresentMessage } from './local-changes.ts'

/** Users of all rooms and hosts. */
const MAX_USERS = 1_000_000

/** What comes of it, in this order. */
export interface PresenceChanges {
  entered: Author[]
  left: string[]
}

interface HostRoom {
  /** Unsure: the host has to tell the room anew. */
  version: number | undefined
  /** Whether it ever has. */
  synced: boolean
  users: Map<string, Author>
  /** Parts of a room that have come, of more. */
  parts: { version: number; members: Author[] }
}

const NOTHING: PresenceChanges = { entered: [], left: [] }

export class RemotePresence {
  /** By room, then by host. */
  readonly #rooms = new Map<string, Map<string, HostRoom>>()
  readonly #maxUsers: number
  #users = 0
  #refused = 0

  constructor(maxUsers = MAX_USERS) {
    this.#maxUsers = maxUsers
  }

  get rooms(): Iterable<string> {
    return this.#rooms.keys()
  }

  get size(): number {
    return this.#rooms.size
  }

  get users(): number {
    return this.#users
  }

  /** Users that were not taken in, because there were too many. */
  get refused(): number {
    return this.#refused
  }

  /** These hosts have not told anything of it yet. */
  open(room: string, hosts: Iterable<string>): void {
    const synced = this.#rooms.get(room) ?? new Map<string, HostRoom>()
    this.#rooms.set(room, synced)
    for (const host of hosts) if (!synced.has(host)) synced.set(host, newHostRoom())
  }

  /** @returns users of each host that are not known any more */
  close(room: string): [host: string, left: string[]][] {
    const hosts = [...(this.#rooms.get(room) ?? [])]
    this.#rooms.delete(room)
    return hosts.map(([host, { users }]) => {
      this.#users -= users.size
      return [host, [...users.keys()]]
    })
  }

  /** Whether each host has told the room, be it long ago. */
  isSynced(room: string): boolean {
    for (const { synced } of this.#rooms.get(room)?.values() ?? []) if (!synced) return false
    return true
  }

  isStale(host: string, room: string): boolean {
    const synced = this.#rooms.get(room)?.get(host)
    return synced !== undefined && synced.version === undefined
  }

  markStale(host: string, room: string): void {
    const synced = this.#rooms.get(room)?.get(host)
    if (synced !== undefined) synced.version = undefined
  }

  /** The host is gone. What was known of it is forgotten. */
  drop(host: string): void {
    for (const hosts of this.#rooms.values()) {
      this.#users -= hosts.get(host)?.users.size ?? 0
      hosts.delete(host)
    }
  }

  change(host: string, { room, version, after, joined, left }: PresenceDelta): PresenceChanges | 'stale' {
    const synced = this.#rooms.get(room)?.get(host)
    if (synced === undefined) return NOTHING
    if (after === 0) return this.#replace(synced, version, joined)
    if (synced.version === undefined || version <= synced.version) return NOTHING
    if (after !== synced.version) {
      synced.version = undefined
      return 'stale'
    }
    synced.version = version
    return {
      entered: joined.filter((user) => this.#enter(synced, user)),
      left: left.map(({ id }) => id).filter((id) => this.#leave(synced, id)),
    }
  }

  /** Everybody, or a part of it with more to come. */
  present(host: string, { room, version, members, more }: PresentMessage['rooms'][number]): PresenceChanges {
    const synced = this.#rooms.get(room)?.get(host)
    if (synced === undefined) return NOTHING
    const before = synced.parts.version === version ? synced.parts.members : []
    if (before.length < this.#maxUsers) synced.parts = { version, members: before.concat(members) }
    else this.#refused += members.length
    return more ? NOTHING : this.#replace(synced, version, synced.parts.members)
  }

  #replace(synced: HostRoom, version: number, members: readonly Author[]): PresenceChanges {
    const ids = new Set(members.map(({ id }) => id))
    const left = [...synced.users.keys()].filter((id) => !ids.has(id) && this.#leave(synced, id))
    synced.version = version
    synced.synced = true
    synced.parts = noParts()
    return { entered: members.filter((user) => this.#enter(synced, user)), left }
  }

  #enter(synced: HostRoom, user: Author): boolean {
    if (synced.users.has(user.id)) return false
    if (this.#users >= this.#maxUsers) {
      this.#refused += 1
      return false
    }
    synced.users.set(user.id, user)
    this.#users += 1
    return true
  }

  #leave(synced: HostRoom, id: string): boolean {
    if (!synced.users.delete(id)) return false
    this.#users -= 1
    return true
  }
}

function newHostRoom(): HostRoom {
  return { version: undefined, synced: false, users: new Map(), parts: noParts() }
}

function noParts(): HostRoom['parts'] {
  return { version: 0, members: [] }
}
