/**
 * Presence of other hosts, by room and host, updated by numbered changes. A missing number makes the room of
 * that host stale until the host has sent a full snapshot; the old state is kept meanwhile. Only rooms that
 * are wanted here are kept. Pure. Bounded: beyond the limit users are refused.
 */
import type { Author } from '../../wire/entry.ts'
import type { PresenceDelta, PresentMessage } from './local-changes.ts'

/** Limit of users over all rooms and hosts. */
const MAX_USERS = 1_000_000

/** Resulting changes, to be applied in this order. */
export interface PresenceChanges {
  entered: Author[]
  left: string[]
}

interface HostRoom {
  /** Undefined: stale, the host must send a snapshot of the room. */
  version: number | undefined
  /** Whether the host has ever sent a snapshot. */
  synced: boolean
  users: Map<string, Author>
  /** Parts of an incomplete snapshot. */
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

  /** Users that were refused because there were too many. */
  get refused(): number {
    return this.#refused
  }

  /** Starts to keep the room. These hosts have not sent anything of it yet. */
  open(room: string, hosts: Iterable<string>): void {
    const synced = this.#rooms.get(room) ?? new Map<string, HostRoom>()
    this.#rooms.set(room, synced)
    for (const host of hosts) if (!synced.has(host)) synced.set(host, newHostRoom())
  }

  /** @returns the removed users of each host */
  close(room: string): [host: string, left: string[]][] {
    const hosts = [...(this.#rooms.get(room) ?? [])]
    this.#rooms.delete(room)
    return hosts.map(([host, { users }]) => {
      this.#users -= users.size
      return [host, [...users.keys()]]
    })
  }

  /** Whether each host has sent a snapshot of the room at some time. */
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

  /** Removes everything of a host that is gone. */
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

  /** Handles a snapshot of a room, or a part of it. */
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
