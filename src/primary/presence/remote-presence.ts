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
export interface PresenceSteps {
  entered: Author[]
  left: string[]
}

interface Told {
  /** Unsure: the host has to tell the room anew. */
  version: number | undefined
  /** Whether it ever has. */
  told: boolean
  users: Map<string, Author>
  /** Parts of a room that have come, of more. */
  parts: { version: number; members: Author[] }
}

const NOTHING: PresenceSteps = { entered: [], left: [] }

export class OthersPresence {
  /** By room, then by host. */
  readonly #rooms = new Map<string, Map<string, Told>>()
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
    const told = this.#rooms.get(room) ?? new Map<string, Told>()
    this.#rooms.set(room, told)
    for (const host of hosts) if (!told.has(host)) told.set(host, newTold())
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
  isTold(room: string): boolean {
    for (const { told } of this.#rooms.get(room)?.values() ?? []) if (!told) return false
    return true
  }

  isUnsure(host: string, room: string): boolean {
    const told = this.#rooms.get(room)?.get(host)
    return told !== undefined && told.version === undefined
  }

  doubt(host: string, room: string): void {
    const told = this.#rooms.get(room)?.get(host)
    if (told !== undefined) told.version = undefined
  }

  /** The host is gone. What was known of it is forgotten. */
  drop(host: string): void {
    for (const hosts of this.#rooms.values()) {
      this.#users -= hosts.get(host)?.users.size ?? 0
      hosts.delete(host)
    }
  }

  change(host: string, { room, version, after, joined, left }: PresenceDelta): PresenceSteps | 'unsure' {
    const told = this.#rooms.get(room)?.get(host)
    if (told === undefined) return NOTHING
    if (after === 0) return this.#replace(told, version, joined)
    if (told.version === undefined || version <= told.version) return NOTHING
    if (after !== told.version) {
      told.version = undefined
      return 'unsure'
    }
    told.version = version
    return {
      entered: joined.filter((user) => this.#enter(told, user)),
      left: left.map(({ id }) => id).filter((id) => this.#leave(told, id)),
    }
  }

  /** Everybody, or a part of it with more to come. */
  present(host: string, { room, version, members, more }: PresentMessage['rooms'][number]): PresenceSteps {
    const told = this.#rooms.get(room)?.get(host)
    if (told === undefined) return NOTHING
    const before = told.parts.version === version ? told.parts.members : []
    if (before.length < this.#maxUsers) told.parts = { version, members: before.concat(members) }
    else this.#refused += members.length
    return more ? NOTHING : this.#replace(told, version, told.parts.members)
  }

  #replace(told: Told, version: number, members: readonly Author[]): PresenceSteps {
    const ids = new Set(members.map(({ id }) => id))
    const left = [...told.users.keys()].filter((id) => !ids.has(id) && this.#leave(told, id))
    told.version = version
    told.told = true
    told.parts = noParts()
    return { entered: members.filter((user) => this.#enter(told, user)), left }
  }

  #enter(told: Told, user: Author): boolean {
    if (told.users.has(user.id)) return false
    if (this.#users >= this.#maxUsers) {
      this.#refused += 1
      return false
    }
    told.users.set(user.id, user)
    this.#users += 1
    return true
  }

  #leave(told: Told, id: string): boolean {
    if (!told.users.delete(id)) return false
    this.#users -= 1
    return true
  }
}

function newTold(): Told {
  return { version: undefined, told: false, users: new Map(), parts: noParts() }
}

function noParts(): Told['parts'] {
  return { version: 0, members: [] }
}
