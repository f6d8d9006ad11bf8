/**
 * Brings one room up to its log and keeps it there: joins on each connection from where the timeline stands, and fetches
 * what is missing, page by page, one request at a time. What fails is tried again with growing delays. Shows nothing.
 */

import type { Author } from '../../wire/entry.ts'
import { retryDelayMs } from '../connection/back-off.ts'
import { Alarm } from '../connection/clock.ts'
import { authorsOf, pageOf } from '../connection/guards.ts'
import { badAnswer, ChatError } from '../errors.ts'
import type { Taken, Timeline } from '../timeline/timeline.ts'
import type { RoomDesk } from './room-context.ts'

export interface CatchUpOptions {
  room: string
  desk: RoomDesk
  timeline: Timeline
  /** What an answer has brought. */
  took(taken: Taken): void
  joined(members: Author[]): void
  refused(error: ChatError): void
  /** `joined`, `refusal` or what is missing may be other than before. */
  changed(): void
}

const PAGE = 200

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #again: Alarm
  #joined = false
  #running = false
  #closed = false
  #failures = 0
  #refusal: ChatError | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#again = new Alarm(options.desk.clock, () => void this.run())
  }

  /** Joined on the present connection. */
  get joined(): boolean {
    return this.#joined
  }

  /** The server will not have the user in the room; it is asked again on the next connection. */
  get refusal(): ChatError | undefined {
    return this.#refusal
  }

  opened(): void {
    this.#failures = 0
    this.#refusal = undefined
    this.#again.cancel()
    void this.run()
  }

  lost(): void {
    this.#joined = false
  }

  close(): void {
    this.#closed = true
    this.#joined = false
    this.#again.cancel()
  }

  /** Until nothing is missing, the connection is gone, or the next try has its time. Never rejects. */
  async run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      while (this.#hasWork() && (await this.#step())) this.#options.changed()
    } finally {
      this.#running = false
      this.#options.changed()
    }
  }

  /** As after a failure. */
  runLater(): void {
    if (!this.#running) this.#later()
  }

  #hasWork(): boolean {
    const { desk, timeline } = this.#options
    if (this.#closed || this.#refusal !== undefined || !desk.connection().open) return false
    return !this.#joined || timeline.missingAfter !== undefined
  }

  /** @returns whether to go on at once */
  async #step(): Promise<boolean> {
    const { timeline } = this.#options
    const before = timeline.last
    try {
      const hasBrought = this.#joined ? await this.#follow() : await this.#join()
      if (hasBrought || timeline.last > before) {
        this.#failures = 0
        return true
      }
      this.#later()
    } catch (error) {
      this.#failed(ChatError.from(error))
    }
    return false
  }

  async #join(): Promise<boolean> {
    const { room, desk, timeline } = this.#options
    const { position } = timeline
    const limit = position === undefined ? desk.bounds.firstPage : PAGE
    const answer = await desk.connection().ask('room:join', { room, limit, ...position })
    const page = pageOf(answer, room)
    if (page === undefined) throw badAnswer('room:join')
    if (this.#closed) return false
    this.#joined = true
    const taken = timeline.joined(page, answer.reset)
    this.#take(taken)
    this.#options.joined(authorsOf(answer.members))
    return taken.rejoin !== true
  }

  async #follow(): Promise<boolean> {
    const { room, desk, timeline } = this.#options
    const after = timeline.missingAfter
    if (after === undefined) return true
    const answer = await desk.connection().ask('room:history', { room, after, limit: PAGE })
    const page = pageOf(answer, room)
    if (page === undefined) throw badAnswer('room:history')
    if (this.#closed) return false
    const taken = timeline.followed(page)
    this.#take(taken)
    return taken.rejoin !== true && taken.shown.length > 0
  }

  #take(taken: Taken): void {
    if (taken.rejoin === true) this.#joined = false
    this.#options.took(taken)
  }

  #failed(error: ChatError): void {
    if (this.#closed || error.code === 'offline' || error.code === 'closed') return
    if (error.code === 'bad_answer' && this.#joined) this.#take(this.#options.timeline.unanswered())
    else if (!error.retryable && !this.#joined) {
      this.#refusal = error
      this.#options.refused(error)
      return
    } else if (!error.retryable) this.#joined = false
    this.#later(error.retryAfterMs)
  }

  #later(retryAfterMs?: number): void {
    this.#failures += 1
    this.#again.within(retryDelayMs(this.#options.desk.backOff, this.#failures, retryAfterMs))
  }
}
