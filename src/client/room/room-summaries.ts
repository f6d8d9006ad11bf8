/**
 * What the client knows of the user's own rooms: what the server said last, and what has been told since. Once it was
 * asked for the list it asks again after each reconnect, as nobody tells what was missed meanwhile.
 */
import type { Author } from '../../wire/entry.ts'
import { isAuthor, isObject, isSeq, summariesOf } from '../connection/guards.ts'
import { badAnswer, ChatError } from '../errors.ts'
import { type RoomSummary, type Tallied, Tally } from './unread-count.ts'

export interface OwnRoomsOptions {
  /** Asks the server for the list, until there is an answer for good. */
  ask(): Promise<{ rooms: unknown }>
  me(): string | undefined
  isJoined(room: string): boolean
  /** Tells a room that is joined. @returns false when it is not */
  toldJoined(summary: RoomSummary): boolean
  /** A summary is other than before. `from`: by a text of this user, in a room that is not joined. */
  changed(summary: RoomSummary, from: Author | undefined): void
  failed(error: unknown): void
}

/** Of a room that is not joined. `read`: the user's own mark. */
type News = { room: string; seq: number } & ({ from: Author } | { read: true })

/** The server lets a user have 1,000 rooms. Past the bound those that were heard of first are forgotten. */
const TALLIES_MAX = 2_000
const NEWS_MAX = 1_000

export class OwnRooms {
  readonly #options: OwnRoomsOptions
  readonly #tallies = new Map<string, Tally>()
  /** As the user was told. */
  readonly #shown = new Map<string, string>()
  /** What came while the server was asked. */
  #news: News[] = []
  #asking = 0
  #isWanted = false

  constructor(options: OwnRoomsOptions) {
    this.#options = options
  }

  tally(room: string): Tally {
    const known = this.#tallies.get(room)
    if (known !== undefined) return known
    const tally = new Tally(room)
    this.#tallies.set(room, tally)
    if (this.#tallies.size > TALLIES_MAX) this.#forgetOldest()
    return tally
  }

  forget(room: string): void {
    this.#tallies.delete(room)
    this.#shown.delete(room)
  }

  async list(): Promise<RoomSummary[]> {
    this.#isWanted = true
    this.#asking += 1
    try {
      const { rooms } = await this.#options.ask()
      const told = summariesOf(rooms)
      if (told === undefined) throw badAnswer('rooms')
      return told.map((summary) => this.#told(summary))
    } finally {
      this.#asking -= 1
      if (this.#asking === 0) this.#tellNews()
    }
  }

  /** What was told before may be old: connected again, or a log began anew. */
  recount(): void {
    if (this.#isWanted) void this.#refresh()
  }

  /** An event of a room that is not joined. */
  handle(event: string, { room, head, seq, from, user }: Record<string, unknown>): void {
    if (typeof room !== 'string') return
    if (event === 'room' && isSeq(head) && isAuthor(from)) this.#heard({ room, seq: head, from })
    if (event !== 'read' || !isSeq(seq) || !isObject(user) || user.id !== this.#options.me()) return
    if (this.#asking > 0 || this.#tallies.has(room)) this.#heard({ room, seq, read: true })
  }

  /** A room's tally may be other than the user was told. */
  changed(room: string, from?: Author): void {
    const { summary } = this.tally(room)
    const { head, read, unread } = summary
    const shown = `${head} ${read} ${unread}`
    if (this.#shown.get(room) === shown) return
    this.#shown.set(room, shown)
    this.#options.changed(summary, from)
  }

  #forgetOldest(): void {
    const oldest = [...this.#tallies.keys()].find((room) => !this.#options.isJoined(room))
    if (oldest !== undefined) this.forget(oldest)
  }

  #heard(news: News): void {
    if (this.#asking > 0 || !this.tally(news.room).isBegun) {
      if (this.#news.length < NEWS_MAX) this.#news.push(news)
      if (this.#asking === 0) void this.#refresh()
    } else this.#take(news)
  }

  #take(news: News): void {
    const tally = this.tally(news.room)
    const isFrom = 'from' in news
    if (isFrom) tally.entry(textOf(news.seq, news.from.id === this.#options.me()))
    else tally.read(news.seq)
    this.changed(news.room, isFrom ? news.from : undefined)
  }

  #told(summary: RoomSummary): RoomSummary {
    const { room } = summary
    const tally = this.tally(room)
    if (!this.#options.toldJoined(summary)) tally.told(summary)
    // What has come since is told with its author.
    if (!this.#news.some((news) => news.room === room)) this.changed(room)
    return tally.summary
  }

  /** Where the server did not say what is unread, so much is: what has been told. */
  #tellNews(): void {
    for (const news of this.#news.splice(0)) {
      const tally = this.tally(news.room)
      if (!tally.isBegun) tally.begin(news.seq - 1)
      this.#take(news)
    }
  }

  async #refresh(): Promise<void> {
    try {
      await this.list()
    } catch (error) {
      const { code } = ChatError.from(error)
      if (code !== 'offline' && code !== 'closed') this.#options.failed(error)
    }
  }
}

function textOf(seq: number, isOwn: boolean): Tallied {
  return { seq, kind: 'text', isOwn }
}
