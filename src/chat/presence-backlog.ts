/**
 * The presence changes that a member has not been told yet, as one change: of what is said about a user only the last
 * counts. Bounded: past `MEMBERS_SHOWN` users only the count is kept, as in a large room. Pure.
 */
import type { PresenceChange } from '../wire/app.ts'
import { MEMBERS_SHOWN } from '../wire/app.ts'
import type { ChatEvents } from '../wire/chat.ts'
import type { Author } from '../wire/entry.ts'

/** The event's payload; in large rooms only the count. */
export function presencePayload(room: string, change: PresenceChange): ChatEvents['presence'] {
  const payload: ChatEvents['presence'] = { room, count: change.count }
  if (change.count > MEMBERS_SHOWN) return payload
  if (change.joined.length > 0) payload.joined = change.joined
  if (change.left.length > 0) payload.left = change.left
  return payload
}

export class PresenceBacklog {
  /** `null`: has left. */
  readonly #users = new Map<string, Author | null>()
  #count: number | undefined
  #countOnly = false

  add(change: PresenceChange): void {
    this.#count = change.count
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
