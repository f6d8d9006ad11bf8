/**
 * The presence changes that somebody has not been told yet, as one change: of what is said about a user only the last
 * counts. Bounded: past `MEMBERS_SHOWN` users only the count is kept, as in a large room. Pure.
 */
import type { PresenceChange } from './app.ts'
import { MEMBERS_SHOWN } from './app.ts'
import type { Author } from './entry.ts'

export class PresenceBacklog {
  /** `null`: has left. Made when it is needed: each member of each room has a backlog, and hardly any has something in it. */
  #users: Map<string, Author | null> | undefined
  #count: number | undefined
  #countOnly = false

  /** Users that it has something to say of. */
  get size(): number {
    return this.#users?.size ?? 0
  }

  /** @param countOnly of this change, and of what is in the backlog, nothing but the count is to be kept */
  add(change: PresenceChange, countOnly = false): void {
    this.#count = change.count
    if (countOnly) this.#countOnly = true
    const users = this.#users ?? new Map<string, Author | null>()
    for (const user of change.joined) users.set(user.id, user)
    for (const { id } of change.left) users.set(id, null)
    if (users.size > MEMBERS_SHOWN) this.#countOnly = true
    this.#users = this.#countOnly ? undefined : users
  }

  /** Empties the backlog. @returns nothing when nothing was missed */
  take(): PresenceChange | undefined {
    if (this.#count === undefined) return undefined
    const change: PresenceChange = { joined: [], left: [], count: this.#count }
    for (const [id, user] of this.#users ?? []) {
      if (user === null) change.left.push({ id })
      else change.joined.push(user)
    }
    this.#users = undefined
    this.#count = undefined
    this.#countOnly = false
    return change
  }
}
