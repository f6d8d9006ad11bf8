/**
 * The people of one room: who is there, who writes just now, how far they have read, and telling them that the user
 * writes. What is known is the roster's; this one hears it, tells it, and lets writers stop.
 */
import type { Author } from '../../wire/entry.ts'
import { Alarm } from '../connection/clock.ts'
import { authorsOf, isAuthor, isObject, isSeq } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import type { RoomDesk } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'
import { type Members, Roster } from './roster.ts'

export interface RoomPeopleOptions {
  room: string
  desk: RoomDesk
  emitter: Emitter<RoomEvents>
  /** The user has read up to there, with whichever connection. */
  readonly userHasRead: (seq: number) => void
}

const TYPING_AGAIN_MS = 2_500

export class RoomPeople {
  readonly #options: RoomPeopleOptions
  readonly #roster = new Roster()
  /** When the next of the writers counts as having stopped. */
  readonly #stops: Alarm
  #typed: { typing: boolean; at: number } | undefined
  #closed = false

  constructor(options: RoomPeopleOptions) {
    this.#options = options
    this.#stops = new Alarm(options.desk.clock, () => this.#writersChanged())
  }

  get members(): Members {
    return this.#roster.members
  }

  get writers(): Author[] {
    return this.#roster.writers(this.#options.desk.clock.now())
  }

  get reads(): ReadonlyMap<string, number> {
    return this.#roster.reads
  }

  /** Who is there, by the answer to a join. */
  joined(members: Author[]): void {
    this.#listed(members)
    // A list that is as long as lists may be does not tell how many there are.
    if (members.length >= this.#options.desk.membersShown()) void this.#count()
  }

  async fetchMembers(): Promise<Members> {
    const { room, desk } = this.#options
    const { members, count } = await desk.request('room:members', { room })
    this.#listed(authorsOf(members), isSeq(count) ? count : 0)
    return this.members
  }

  presence({ joined, left, count }: Record<string, unknown>): void {
    if (!isSeq(count)) return
    const gone = Array.isArray(left) ? left.filter(isObject).map(({ id }) => ({ id: String(id) })) : []
    this.#roster.changed({ joined: authorsOf(joined), left: gone, count })
    this.#options.emitter.emit('presence', this.members)
  }

  typing({ user, typing }: Record<string, unknown>): void {
    if (!isAuthor(user)) return
    this.#roster.typing(user, typing === true, this.#options.desk.clock.now())
    this.#writersChanged()
  }

  read({ user, seq }: Record<string, unknown>): void {
    if (!isObject(user) || typeof user.id !== 'string' || !isSeq(seq)) return
    const { desk, emitter, userHasRead } = this.#options
    if (user.id === desk.user()?.id) userHasRead(seq)
    if (this.#roster.read(user.id, seq)) emitter.emit('read', { user: { id: user.id }, seq })
  }

  /** Whose message is there writes it no more. */
  wrote(author: Author): void {
    this.#roster.typing(author, false, 0)
  }

  /** The user writes, or has stopped. It is not told each time. */
  userTypes(typing: boolean): void {
    const { room, desk } = this.#options
    const now = desk.clock.now()
    const known = this.#typed
    const isStale =
      known === undefined || known.typing !== typing || (typing && now - known.at >= TYPING_AGAIN_MS)
    if (!isStale || (known === undefined && !typing)) return
    this.#typed = { typing, at: now }
    desk.connection().mention('typing', { room, typing })
  }

  /** The connection is gone: nobody knows any more that the user writes. */
  lost(): void {
    this.#typed = undefined
  }

  clear(): void {
    this.#roster.clear()
  }

  close(): void {
    this.#closed = true
    this.#stops.cancel()
  }

  #listed(members: readonly Author[], count?: number): void {
    this.#roster.listed(members, count)
    this.#options.emitter.emit('presence', this.members)
  }

  async #count(): Promise<void> {
    try {
      await this.fetchMembers()
    } catch (error) {
      if (!this.#closed) this.#options.desk.failed(error)
    }
  }

  #writersChanged(): void {
    const { desk, emitter } = this.#options
    const now = desk.clock.now()
    const writers = this.#roster.writers(now)
    const nextStopAt = this.#roster.nextStopAt()
    if (nextStopAt !== undefined) this.#stops.within(nextStopAt - now)
    emitter.emit('typing', writers)
  }
}
