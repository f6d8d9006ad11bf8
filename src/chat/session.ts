/**
 * One socket in the chat: its user, its memberships, its open requests. Requests that return a page run one
 * at a time, so that a client that sends requests and does not read costs one page, not hundreds.
 */
import type { Socket } from 'socket.io'
import type { Author } from '../wire/entry.ts'
import { RookeryError } from '../wire/errors.ts'
import type { Membership } from './rooms/membership.ts'

const WAITING_MAX = 256
const UNREAD_RETRY_MS = 1_000

export interface SessionOptions {
  /** Whether so much is still unsent that no page should be added. */
  isSlow: () => boolean
  /** Counts one page. Rejects with `rate_limited`. */
  takePage: () => Promise<void>
}

export class Session {
  readonly socket: Socket
  readonly user: Author
  readonly memberships = new Map<string, Membership>()
  /** Joins that wait or run, by room. */
  readonly joining = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #openRequests = 0
  #draining = false
  readonly #options: SessionOptions
  readonly #onFinished: (() => void)[] = []

  constructor(socket: Socket, user: Author, options: SessionOptions) {
    this.socket = socket
    this.user = user
    this.#options = options
  }

  /**
   * As `runInOrder`, for work with a large response. Refuses it when the client is behind or has had too many
   * pages.
   */
  runPageRequest<T>(work: () => Promise<T>): Promise<T> {
    return this.runInOrder(async () => {
      if (this.#options.isSlow()) {
        const options = { retryAfterMs: UNREAD_RETRY_MS }
        throw new RookeryError('rate_limited', 'read first what has been sent', options)
      }
      // Inside the queue, so that a later request can't overtake this one.
      await this.#options.takePage()
      return work()
    })
  }

  /** Runs `work` when the requests before it have ended. */
  async runInOrder<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX) {
      throw new RookeryError('rate_limited', 'too many requests wait for their turn', { retryAfterMs: 1_000 })
    }
    this.#waiting += 1
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1
    })
    // The caller handles a failure; the next request only waits for the end.
    this.#last = turn.catch(() => undefined)
    return turn
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Call when a request has arrived. */
  startRequest(): void {
    this.#openRequests += 1
  }

  /** Call when a request has been answered. */
  endRequest(): void {
    this.#openRequests -= 1
    if (this.#openRequests > 0) return
    for (const resolve of this.#onFinished.splice(0)) resolve()
  }

  /** New requests are refused from now on. Resolves when the open ones have been answered. */
  async finishRequests(): Promise<void> {
    this.#draining = true
    if (this.#openRequests === 0) return
    await new Promise<void>((resolve) => this.#onFinished.push(resolve))
  }
}
