/**
 * The members of one room: who is present, who is typing, how far they have read; and sends the user's own
 * typing state. The data is in the roster; this class handles the events and timers.
 */
import type { Author } from '../../wire/entry.ts'
import { Timer } from '../connection/clock.ts'
import { authorsOf, isAuthor, isObject, isSeq } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import type { RoomContext } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'
import { MEMBERS_MAX, type Members, Roster } from './roster.ts'

export interface RoomMembersOptions {
  room: string
  context: RoomContext
  emitter: Emitter<RoomEvents>
  /** The user has read up to `seq` on any connection. */
  readonly userHasRead: (seq: number) => void
}

const TYPING_REPEAT_MS = 2_500

export class RoomMembers {
  readonly #options: RoomMembersOptions
  readonly #roster = new Roster()
  /** Fires when the next typing user times out. */
  readonly #typingTimer: Timer
  #sentTyping: { typing: boolean; at: number } | undefined
  #closed = false

  constructor(options: RoomMembersOptions) {
    this.#options = options
    this.#typingTimer = new Timer(options.context.clock, () => this.#typingChanged())
  }

  get members(): Members {
    return this.#roster.members
  }

  get writers(): Author[] {
    return this.#roster.writers(this.#options.context.clock.now())
  }

  get reads(): ReadonlyMap<string, number> {
    return this.#roster.reads
  }

  /** The members from the answer to a join. */
  joined(members: Author[]): void {
    this.#setList(members)
    // A list of the maximum length does not tell the real count.
    if (members.length >= this.#options.context.membersShown()) void this.#fetchCount()
  }

  /** Page by page, up to the number that the roster takes. */
  async fetchMembers(): Promise<Members> {
    const { room, context } = this.#options
    let after: string | undefined
    do {
      const payload = after === undefined ? { room } : { room, after }
      after = await context.request('room:members', payload, (answer) => this.#take(answer, payload))
    } while (after !== undefined)
    return this.members
  }

  /** Those whose name has this in it, the best matches first; 50 at most. `members` stays as it is. */
  find(search: string): Promise<Author[]> {
    const { room, context } = this.#options
    return context.connection().request('room:members', { room, search }, ({ members }) => authorsOf(members))
  }

  presence({ joined, left, count }: Record<string, unknown>): void {
    if (!isSeq(count)) return
    const leftMembers = Array.isArray(left) ? left.filter(isObject).map(({ id }) => ({ id: String(id) })) : []
    this.#changeWriters(() => this.#roster.changed({ joined: authorsOf(joined), left: leftMembers, count }))
    this.#options.emitter.emit('presence', this.members)
  }

  typing({ user, typing }: Record<string, unknown>): void {
    if (!isAuthor(user)) return
    this.#roster.typing(user, typing === true, this.#options.context.clock.now())
    this.#typingChanged()
  }

  read({ user, seq }: Record<string, unknown>): void {
    if (!isObject(user) || typeof user.id !== 'string' || !isSeq(seq)) return
    const { context, emitter, userHasRead } = this.#options
    if (user.id === context.user()?.id) userHasRead(seq)
    if (this.#roster.read(user.id, seq)) emitter.emit('read', { user: { id: user.id }, seq })
  }

  /** Their message has arrived. */
  stoppedTyping(author: Author): void {
    this.#changeWriters(() => this.#roster.typing(author, false, 0))
  }

  /** The user types or has stopped. Sent only when it changes or has to be repeated. */
  setTyping(typing: boolean): void {
    const { room, context } = this.#options
    const now = context.clock.now()
    const known = this.#sentTyping
    const isStale =
      known === undefined || known.typing !== typing || (typing && now - known.at >= TYPING_REPEAT_MS)
    if (!isStale || (known === undefined && !typing)) return
    this.#sentTyping = { typing, at: now }
    // It is sent again soon while the user types, but never after the user has stopped.
    context.connection().notify('typing', { room, typing }, { volatile: typing })
  }

  /** The connection is lost: the server has forgotten that the user was typing. */
  lost(): void {
    this.#sentTyping = undefined
  }

  clear(): void {
    this.#changeWriters(() => this.#roster.clear())
  }

  close(): void {
    this.#closed = true
    this.#typingTimer.cancel()
  }

  /** @returns after whom to go on */
  #take(
    { members, count }: { members: unknown; count: unknown },
    { after }: { after?: string },
  ): string | undefined {
    const page = authorsOf(members)
    const before = after === undefined ? [] : this.#roster.members.list
    this.#setList([...before, ...page], isSeq(count) ? count : 0)
    const { list } = this.#roster.members
    // A page that brings nobody new is from the start again, since the one to go on after has left.
    const isLast = page.length < this.#options.context.membersShown() || list.length === before.length
    return isLast || list.length >= MEMBERS_MAX ? undefined : page.at(-1)?.id
  }

  #setList(members: readonly Author[], count?: number): void {
    this.#roster.setList(members, count)
    this.#options.emitter.emit('presence', this.members)
  }

  async #fetchCount(): Promise<void> {
    try {
      const { room, context } = this.#options
      await context.request('room:members', { room }, (answer) => void this.#take(answer, {}))
    } catch (error) {
      if (!this.#closed) this.#options.context.failed(error)
    }
  }

  /** For a change after which somebody may no longer be typing. */
  #changeWriters(change: () => void): void {
    const before = this.#roster.writerCount
    change()
    if (this.#roster.writerCount !== before) this.#typingChanged()
  }

  #typingChanged(): void {
    const { context, emitter } = this.#options
    const now = context.clock.now()
    const writers = this.#roster.writers(now)
    const nextTypingEndAt = this.#roster.nextTypingEndAt()
    if (nextTypingEndAt !== undefined) this.#typingTimer.schedule(nextTypingEndAt - now)
    emitter.emit('typing', writers)
  }
}
