/**
 * Presence changes that a receiver has missed, merged into one change: for each user only the last one
 * counts. Bounded: past `MEMBERS_SHOWN` users only the count is kept, as in a large room. Pure.
 */
import type { PresenceChange } from './app.ts'
import { MEMBERS_SHOWN } from './app.ts'
import type { Author } from './entry.ts'

export class PresenceBacklog {
  /**
   * `null`: has left. Created only when needed: every member of every room has a backlog, and almost all are
   * empty.
   */
  #users: Map<string, Author | null> | undefined
  #count: number | undefined
  #countOnly = false

  /** Users with a missed change. */
  get size(): number {
    return this.#users?.size ?? 0
  }

  /** @param countOnly keep only the count, of this change and of all changes in the backlog */
  add(change: PresenceChange, countOnly = false): void {
    this.#count = change.count
    if (countOnly) this.#countOnly = true
    const users = this.#users ?? new Map<string, Author | null>()
    for (const user of change.joined) users.set(user.id, user)
    for (const { id } of change.left) users.set(id, null)
    if (users.size > MEMBERS_SHOWN) this.#countOnly = true
    this.#users = this.#countOnly ? undefined : users
  }

  /** Empties the backlog. @returns the merged change, or nothing when none was missed */
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
