/** Who is in a room, who is typing, and how far others have read. Pure: the time is passed in. */
import type { ChatEvents } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'

export interface Members {
  /** Limited in large rooms: at first to 500, after `fetchMembers` to 1,000. */
  readonly list: readonly Author[]
  readonly count: number
}

/** A user without a new typing event for this time has stopped typing. */
export const TYPING_TIMEOUT_MS = 6_000
const WRITERS_MAX = 50
const READERS_MAX = 1_000
/** More are not kept. */
export const MEMBERS_MAX = 1_000

export class Roster {
  #members = new Map<string, Author>()
  #count = 0
  readonly #writers = new Map<string, { user: Author; until: number }>()
  readonly #reads = new Map<string, number>()

  get members(): Members {
    return { list: [...this.#members.values()], count: this.#count }
  }

  /** Sequence numbers by user id. */
  get reads(): ReadonlyMap<string, number> {
    return this.#reads
  }

  /** Sets the members from a list. Without a count the length of the list is the minimum. */
  setList(members: readonly Author[], count = members.length): void {
    this.#members = new Map(members.slice(0, MEMBERS_MAX).map((member) => [member.id, member]))
    this.#count = Math.max(count, this.#members.size)
  }

  changed(change: Omit<ChatEvents['presence'], 'room'>): void {
    for (const member of change.joined ?? []) {
      if (this.#members.size < MEMBERS_MAX) this.#members.set(member.id, member)
    }
    for (const { id } of change.left ?? []) {
      this.#members.delete(id)
      this.#writers.delete(id)
    }
    this.#count = change.count
  }

  typing(user: Author, typing: boolean, now: number): void {
    this.#writers.delete(user.id)
    if (typing && this.#writers.size < WRITERS_MAX) {
      this.#writers.set(user.id, { user, until: now + TYPING_TIMEOUT_MS })
    }
  }

  get writerCount(): number {
    return this.#writers.size
  }

  writers(now: number): Author[] {
    for (const [id, { until }] of this.#writers) if (until <= now) this.#writers.delete(id)
    return [...this.#writers.values()].map(({ user }) => user)
  }

  /** When the next typing user times out. */
  nextTypingEndAt(): number | undefined {
    const [first] = [...this.#writers.values()].map(({ until }) => until).toSorted((a, b) => a - b)
    return first
  }

  /** @returns whether it has changed */
  read(userId: string, seq: number): boolean {
    if (seq <= (this.#reads.get(userId) ?? 0)) return false
    if (!this.#reads.has(userId) && this.#reads.size >= READERS_MAX) return false
    this.#reads.set(userId, seq)
    return true
  }

  clear(): void {
    this.#members.clear()
    this.#writers.clear()
    this.#reads.clear()
    this.#count = 0
  }
}
