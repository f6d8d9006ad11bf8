/**
 * Keeps one room up to date with its log: joins on each connection from the resume position and fetches
 * missing entries, page by page, one request at a time. Failures are retried with back-off.
 */

import type { ChatAnswers } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'
import { retryDelayMs } from '../connection/back-off.ts'
import { Timer } from '../connection/clock.ts'
import { authorsOf, pageOf } from '../connection/guards.ts'
import { badAnswer, ChatError } from '../errors.ts'
import type { Timeline, TimelineUpdate } from '../timeline/timeline.ts'
import type { RoomContext } from './room-context.ts'

export interface CatchUpOptions {
  room: string
  context: RoomContext
  timeline: Timeline
  /** Called with what an answer has changed. */
  apply(update: TimelineUpdate): void
  joined(members: Author[]): void
  refused(error: ChatError): void
  /** `joined`, `refusal` or `missingAfter` may have changed. */
  changed(): void
}

const PAGE = 200

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #retryTimer: Timer
  #joined = false
  #running = false
  #closed = false
  #failures = 0
  #refusal: ChatError | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#retryTimer = new Timer(options.context.clock, () => void this.run())
  }

  /** Joined on the current connection. */
  get joined(): boolean {
    return this.#joined
  }

  /** The server refuses the user in this room. Tried again on the next connection. */
  get refusal(): ChatError | undefined {
    return this.#refusal
  }

  opened(): void {
    this.#failures = 0
    this.#refusal = undefined
    this.#retryTimer.cancel()
    void this.run()
  }

  lost(): void {
    this.#joined = false
  }

  close(): void {
    this.#closed = true
    this.#joined = false
    this.#retryTimer.cancel()
  }

  /** Runs until nothing is missing, the connection is lost, or a retry is scheduled. Never rejects. */
  async run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      while (this.#hasWork() && (await this.#joinOrFetch())) this.#options.changed()
    } finally {
      this.#running = false
      this.#options.changed()
    }
  }

  /** Runs after a back-off delay, as after a failure. */
  runLater(): void {
    if (!this.#running) this.#retryLater()
  }

  #hasWork(): boolean {
    const { context, timeline } = this.#options
    if (this.#closed || this.#refusal !== undefined || !context.connection().open) return false
    return !this.#joined || timeline.missingAfter !== undefined
  }

  /** @returns whether to continue at once */
  async #joinOrFetch(): Promise<boolean> {
    const { timeline } = this.#options
    const before = timeline.last
    try {
      const hasProgress = this.#joined ? await this.#fetchNext() : await this.#join()
      if (hasProgress || timeline.last > before) {
        this.#failures = 0
        return true
      }
      this.#retryLater()
    } catch (error) {
      this.#failed(ChatError.from(error))
    }
    return false
  }

  async #join(): Promise<boolean> {
    const { room, context, timeline } = this.#options
    const { resumePosition } = timeline
    const limit = resumePosition === undefined ? context.bounds.firstPage : PAGE
    const asked = { room, limit, ...resumePosition }
    return await context.connection().request('room:join', asked, (answer) => this.#joinAnswered(answer))
  }

  #joinAnswered(answer: ChatAnswers['room:join']): boolean {
    const { room, timeline, context } = this.#options
    const page = context.joinedAs(room, answer.room, answer.head)
      ? pageOf(answer, context.serverName(room))
      : undefined
    if (page === undefined) throw badAnswer('room:join')
    if (this.#closed) return false
    this.#joined = true
    const update = timeline.addJoinPage(page, answer.reset)
    this.#apply(update)
    this.#options.joined(authorsOf(answer.members))
    return update.rejoin !== true
  }

  async #fetchNext(): Promise<boolean> {
    const { room, context, timeline } = this.#options
    const after = timeline.missingAfter
    if (after === undefined) return true
    const asked = { room, after, limit: PAGE }
    return await context.connection().request('room:history', asked, (answer) => this.#pageAnswered(answer))
  }

  #pageAnswered(answer: ChatAnswers['room:history']): boolean {
    const { room, timeline, context } = this.#options
    const page = pageOf(answer, context.serverName(room))
    if (page === undefined) throw badAnswer('room:history')
    if (this.#closed) return false
    const update = timeline.addNextPage(page)
    this.#apply(update)
    return update.rejoin !== true && update.added.length > 0
  }

  #apply(update: TimelineUpdate): void {
    if (update.rejoin === true) this.#joined = false
    this.#options.apply(update)
  }

  #failed(error: ChatError): void {
    if (this.#closed || error.code === 'offline' || error.code === 'closed') return
    if (error.code === 'bad_answer' && this.#joined) this.#apply(this.#options.timeline.fetchFailed())
    else if (!error.retryable && !this.#joined) {
      this.#refusal = error
      this.#options.refused(error)
      return
    } else if (!error.retryable) this.#joined = false
    this.#retryLater(error.retryAfterMs)
  }

  #retryLater(retryAfterMs?: number): void {
    this.#failures += 1
    this.#retryTimer.schedule(retryDelayMs(this.#options.context.backOff, this.#failures, retryAfterMs))
  }
}
