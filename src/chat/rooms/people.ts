/**
 * The people whom this worker knows by name: those who are connected to it, and others who were, or who wrote
 * what was read here from the log of a room. Nothing is stored: after a restart the latter are found again once
 * their messages have been read. Those who can't come back, and authors in direct rooms, are not remembered.
 */
import { bestMatches, foldedName } from '../../core/name-search.ts'
import type { Rooms } from '../../wire/app.ts'
import type { FoundPerson } from '../../wire/chat.ts'
import { isDirect } from '../../wire/chat-direct.ts'
import type { Author, LogEntry } from '../../wire/entry.ts'

/** The first to come is the first to be forgotten. */
const REMEMBERED_MAX = 10_000

interface Known {
  user: Author
  /** Connections to this worker. */
  connections: number
  /** The name as searches compare it; made by the first one. */
  folded?: string
}

export class People {
  readonly #isPersistentUser: (userId: string) => boolean
  readonly #connected = new Map<string, Known>()
  readonly #others = new Map<string, Known>()
  readonly #max: number

  constructor(isPersistentUser: (userId: string) => boolean, max = REMEMBERED_MAX) {
    this.#isPersistentUser = isPersistentUser
    this.#max = max
  }

  get size(): number {
    return this.#connected.size + this.#others.size
  }

  connected(user: Author): void {
    const known = this.#connected.get(user.id)
    this.#others.delete(user.id)
    // A new connection may have a new name.
    this.#connected.set(user.id, { user, connections: (known?.connections ?? 0) + 1 })
  }

  disconnected({ id }: Author): void {
    const known = this.#connected.get(id)
    if (known === undefined) return
    known.connections -= 1
    if (known.connections > 0) return
    this.#connected.delete(id)
    this.#remember(known.user)
  }

  /** The same rooms; the authors of what is read are remembered. */
  reading(rooms: Rooms): Rooms {
    return {
      ...rooms,
      read: async (room, range) => {
        const page = await rooms.read(room, range)
        if (!isDirect(room)) for (const entry of page.entries) this.#wrote(entry)
        return page
      },
    }
  }

  /** Those who are connected first. */
  find(search: string, max: number): FoundPerson[] {
    const wanted = foldedName(search)
    const among = (people: Map<string, Known>, present: boolean) =>
      bestMatches(people.values(), { wanted, nameOf, max }).map(({ user }) => ({ ...user, present }))
    return [...among(this.#connected, true), ...among(this.#others, false)].slice(0, max)
  }

  #wrote({ kind, from }: LogEntry): void {
    if (kind !== 'unreadable' && !this.#connected.has(from.id) && !this.#others.has(from.id))
      this.#remember(from)
  }

  #remember(user: Author): void {
    if (!this.#isPersistentUser(user.id)) return
    this.#others.set(user.id, { user, connections: 0 })
    const [first] = this.#others.keys()
    if (this.#others.size > this.#max && first !== undefined) this.#others.delete(first)
  }
}

/** What several workers have found: each person once, as connected as anybody says. */
export function togetherFound(found: Iterable<FoundPerson>, search: string, max: number): FoundPerson[] {
  const people = new Map<string, FoundPerson>()
  for (const person of found) {
    const known = people.get(person.id)
    if (known === undefined || (person.present && !known.present)) people.set(person.id, person)
  }
  const all = [...people.values()]
  const wanted = foldedName(search)
  const best = (present: boolean) =>
    bestMatches(
      all.filter((person) => person.present === present),
      { wanted, nameOf: ({ name }) => foldedName(name), max },
    )
  return [...best(true), ...best(false)].slice(0, max)
}

function nameOf(known: Known): string {
  known.folded ??= foldedName(known.user.name)
  return known.folded
}
