/**
 * The unread counts of the user's rooms: the server's last answer plus the events since. Once the list was
 * asked for, it is fetched again after each reconnect, because events of the meantime are lost.
 */
import type { Author } from '../../wire/entry.ts'
import type { RoomSummary } from '../connection/guards.ts'
import { isAuthor, isObject, isSeq, summariesOf } from '../connection/guards.ts'
import { badAnswer, ChatError } from '../errors.ts'
import { type CountedEntry, UnreadCount } from './unread-count.ts'

export interface RoomSummariesOptions {
  /** Fetches the list, with retries. `use` is that of `Connection.request`. */
  fetch<T>(use: (answer: { rooms: unknown }) => T): Promise<T>
  me(): string | undefined
  isJoined(room: string): boolean
  /** The names that a room of the server has here; its own if it is not joined. */
  namesOf(room: string): readonly string[]
  /** Passes the summary to a joined room. @returns false if it is not joined */
  updateJoined(summary: RoomSummary): boolean
  /** A summary has changed. `from`: the author of a new text, in a room that is not joined. */
  changed(summary: RoomSummary, from: Author | undefined): void
  failed(error: unknown): void
}

/** An event of a room that is not joined. `read`: the user's own marker. */
type RoomUpdate = { room: string; seq: number } & ({ from: Author } | { read: true })

/** The server allows 1,000 rooms a user. Beyond the limit the oldest counts are dropped. */
const COUNTS_MAX = 2_000
const BUFFERED_MAX = 1_000

export class RoomSummaries {
  readonly #options: RoomSummariesOptions
  readonly #counts = new Map<string, UnreadCount>()
  /** What was last reported, by room. */
  readonly #reported = new Map<string, string>()
  /** Events that arrived during a fetch. */
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
      return await this.#options.fetch(({ rooms }) => {
        const summaries = summariesOf(rooms)
        if (summaries === undefined) throw badAnswer('rooms')
        const known = summaries.flatMap((summary) =>
          this.#options.namesOf(summary.room).map((room) => ({ ...summary, room })),
        )
        return known.map((summary) => this.#applySummary(summary))
      })
    } finally {
      this.#fetching -= 1
      if (this.#fetching === 0) this.#applyBuffered()
    }
  }

  /** The known summaries may be outdated: after a reconnect or a reset. */
  refresh(): void {
    if (this.#isWanted) void this.#fetch()
  }

  /** Handles an event of a room that is not joined. */
  handle(event: string, { room, head, seq, from, user }: Record<string, unknown>): void {
    if (typeof room !== 'string') return
    if (event === 'room' && isSeq(head) && isAuthor(from)) this.#receive({ room, seq: head, from })
    if (event !== 'read' || !isSeq(seq) || !isObject(user) || user.id !== this.#options.me()) return
    if (this.#fetching > 0 || this.#counts.has(room)) this.#receive({ room, seq, read: true })
  }

  /** The count of a room may have changed. */
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
    // Buffered events are reported with their author.
    if (!this.#buffered.some((update) => update.room === room)) this.changed(room)
    return count.summary
  }

  /**
   * Applies the events that arrived during the fetch. For rooms missing in the answer they are all that is
   * unread.
   */
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
