/**
 * What the client knows of the user's own rooms: what the server said last, and what has been told since. Once it was
 * asked for the list it asks again after each reconnect, as nobody tells what was missed meanwhile.
 */
import type { Author } from '../../wire/entry.ts'
import type { RoomSummary } from '../connection/guards.ts'
import { isAuthor, isObject, isSeq, summariesOf } from '../connection/guards.ts'
import { badAnswer, ChatError } from '../errors.ts'
import { type CountedEntry, UnreadCount } from './unread-count.ts'

export interface RoomSummariesOptions {
  /** Asks the server for the list, until there is an answer for good. */
  fetch(): Promise<{ rooms: unknown }>
  me(): string | undefined
  isJoined(room: string): boolean
  /** Tells a room that is joined. @returns false when it is not */
  updateJoined(summary: RoomSummary): boolean
  /** A summary is other than before. `from`: by a text of this user, in a room that is not joined. */
  changed(summary: RoomSummary, from: Author | undefined): void
  failed(error: unknown): void
}

/** Of a room that is not joined. `read`: the user's own mark. */
type RoomUpdate = { room: string; seq: number } & ({ from: Author } | { read: true })

/** The server lets a user have 1,000 rooms. Past the bound those that were heard of first are forgotten. */
const COUNTS_MAX = 2_000
const BUFFERED_MAX = 1_000

export class RoomSummaries {
  readonly #options: RoomSummariesOptions
  readonly #counts = new Map<string, UnreadCount>()
  /** As the user was told. */
  readonly #reported = new Map<string, string>()
  /** What came while the server was asked. */
  #buffered: RoomUpdate[] = []
  #fetching = 0
  #isWanted = false

  constructor(options: RoomSummariesOptions) {
    this.#options = options
  }

  unreadCount(room: string): UnreadCount {
    const known = this.#counts.get(room)
    if (known !== undefined) return known
    const count = new UnreadCount(room)
    this.#counts.set(room, count)
    if (this.#counts.size > COUNTS_MAX) this.#forgetOldest()
    return count
  }

  forget(room: string): void {
    this.#counts.delete(room)
    this.#reported.delete(room)
  }

  async list(): Promise<RoomSummary[]> {
    this.#isWanted = true
    this.#fetching += 1
    try {
      const { rooms } = await this.#options.fetch()
      const summaries = summariesOf(rooms)
      if (summaries === undefined) throw badAnswer('rooms')
      return summaries.map((summary) => this.#applySummary(summary))
    } finally {
      this.#fetching -= 1
      if (this.#fetching === 0) this.#applyBuffered()
    }
  }

  /** What was told before may be old: connected again, or a log began anew. */
  refresh(): void {
    if (this.#isWanted) void this.#fetch()
  }

  /** An event of a room that is not joined. */
  handle(event: string, { room, head, seq, from, user }: Record<string, unknown>): void {
    if (typeof room !== 'string') return
    if (event === 'room' && isSeq(head) && isAuthor(from)) this.#receive({ room, seq: head, from })
    if (event !== 'read' || !isSeq(seq) || !isObject(user) || user.id !== this.#options.me()) return
    if (this.#fetching > 0 || this.#counts.has(room)) this.#receive({ room, seq, read: true })
  }

  /** A room's count may be other than the user was told. */
  changed(room: string, from?: Author): void {
    const { summary } = this.unreadCount(room)
    const { head, read, unread } = summary
    const reported = `${head} ${read} ${unread}`
    if (this.#reported.get(room) === reported) return
    this.#reported.set(room, reported)
    this.#options.changed(summary, from)
  }

  #forgetOldest(): void {
    const oldest = [...this.#counts.keys()].find((room) => !this.#options.isJoined(room))
    if (oldest !== undefined) this.forget(oldest)
  }

  #receive(update: RoomUpdate): void {
    if (this.#fetching > 0 || !this.unreadCount(update.room).isInitialized) {
      if (this.#buffered.length < BUFFERED_MAX) this.#buffered.push(update)
      if (this.#fetching === 0) void this.#fetch()
    } else this.#apply(update)
  }

  #apply(update: RoomUpdate): void {
    const count = this.unreadCount(update.room)
    const isFrom = 'from' in update
    if (isFrom) count.add(textOf(update.seq, update.from.id === this.#options.me()))
    else count.markRead(update.seq)
    this.changed(update.room, isFrom ? update.from : undefined)
  }

  #applySummary(summary: RoomSummary): RoomSummary {
    const { room } = summary
    const count = this.unreadCount(room)
    if (!this.#options.updateJoined(summary)) count.set(summary)
    // What has come since is told with its author.
    if (!this.#buffered.some((update) => update.room === room)) this.changed(room)
    return count.summary
  }

  /** Where the server did not say what is unread, so much is: what has been told. */
  #applyBuffered(): void {
    for (const update of this.#buffered.splice(0)) {
      const count = this.unreadCount(update.room)
      if (!count.isInitialized) count.initialize(update.seq - 1)
      this.#apply(update)
    }
  }

  async #fetch(): Promise<void> {
    try {
      await this.list()
    } catch (error) {
      const { code } = ChatError.from(error)
      if (code !== 'offline' && code !== 'closed') this.#options.failed(error)
    }
  }
}

function textOf(seq: number, isOwn: boolean): CountedEntry {
  return { seq, kind: 'text', isOwn }
}
