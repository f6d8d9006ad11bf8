/**
 * One socket's place in the chat: who it is, where it is a member, what it is owed an answer to. Requests with a page
 * for an answer take turns, one at a time, so that a client that asks and does not read costs one page, not hundreds.
 */
import type { Socket } from 'socket.io'
import type { Author } from '../wire/entry.ts'
import { RookeryError } from '../wire/errors.ts'
import type { Membership } from './rooms/memberships.ts'

const WAITING_MAX = 256
const UNREAD_RETRY_MS = 1_000

export interface SessionOptions {
  /** So much of what was sent is still unsent that no page should be added to it. */
  isBehind: () => boolean
  /** Counts a page. Rejects with `rate_limited`. */
  takePage: () => Promise<void>
}

export class Session {
  readonly socket: Socket
  readonly user: Author
  readonly memberships = new Map<string, Membership>()
  /** Joins that are waiting or under way, by room. */
  readonly joining = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #owed = 0
  #settling = false
  readonly #options: SessionOptions
  readonly #settled: (() => void)[] = []

  constructor(socket: Socket, user: Author, options: SessionOptions) {
    this.socket = socket
    this.user = user
    this.#options = options
  }

  /** As `inTurn`, for work whose answer may be large: refused when its turn comes and the client is behind, or has had too many. */
  pageInTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      if (this.#options.isBehind()) {
        const options = { retryAfterMs: UNREAD_RETRY_MS }
        throw new RookeryError('rate_limited', 'read first what has been sent', options)
      }
      // In its turn, so that nothing that was asked for later comes before it.
      await this.#options.takePage()
      return work()
    })
  }

  /** Runs `work` when what was asked for before has ended. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX) {
      throw new RookeryError('rate_limited', 'too many requests wait for their turn', { retryAfterMs: 1_000 })
    }
    this.#waiting += 1
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1
    })
    // How it ended is the caller's to know; the next turn only waits for its end.
    this.#last = turn.catch(() => undefined)
    return turn
  }

  get settling(): boolean {
    return this.#settling
  }

  /** A request has come that is owed an answer. */
  owe(): void {
    this.#owed += 1
  }

  /** One that was owed has been given. */
  answered(): void {
    this.#owed -= 1
    if (this.#owed > 0) return
    for (const resolve of this.#settled.splice(0)) resolve()
  }

  /** From now on requests are refused. Resolves when those that came before have been answered. */
  async settle(): Promise<void> {
    this.#settling = true
    if (this.#owed === 0) return
    await new Promise<void>((resolve) => this.#settled.push(resolve))
  }
}
