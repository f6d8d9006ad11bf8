/**
 * The presence changes that somebody has not been told yet, as one change: of what is said about a user only the last
 * counts. Bounded: past `MEMBERS_SHOWN` users only the count is kept, as in a large room. Pure.
 */
import type { PresenceChange } from './app.ts'
import { MEMBERS_SHOWN } from './app.ts'
import type { Author } from './entry.ts'

export class PresenceBacklog {
  /** `null`: has left. */
  readonly #users = new Map<string, Author | null>()
  #count: number | undefined
  #countOnly = false

  /** Users that it has something to say of. */
  get size(): number {
    return this.#users.size
  }

  /** @param countOnly of this change, and of what is in the backlog, nothing but the count is to be kept */
  add(change: PresenceChange, countOnly = false): void {
    this.#count = change.count
    if (countOnly) this.#countOnly = true
    for (const user of change.joined) this.#users.set(user.id, user)
    for (const { id } of change.left) this.#users.set(id, null)
    if (this.#users.size > MEMBERS_SHOWN) this.#countOnly = true
    if (this.#countOnly) this.#users.clear()
  }

  /** Empties the backlog. @returns nothing when nothing was missed */
  take(): PresenceChange | undefined {
    if (this.#count === undefined) return undefined
    const change: PresenceChange = { joined: [], left: [], count: this.#count }
    for (const [id, user] of this.#users) {
      if (user === null) change.left.push({ id })
      else change.joined.push(user)
    }
    this.#users.clear()
    this.#count = undefined
    this.#countOnly = false
    return change
  }
}
