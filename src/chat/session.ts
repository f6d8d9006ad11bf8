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
/** A page waits this long for its turn; then it is refused. Shorter than the time after which clients give up an ack. */
const PAGE_WAIT_MAX_MS = 8_000

export interface SessionOptions {
  /** Whether so much is still unsent that no page should be added. */
  isSlow: () => boolean
  /** Counts one page. Rejects with `rate_limited`. */
  takePage: () => Promise<void>
  /** A page has to wait, because the user has had too many. */
  onWait?: () => void
}

export class Session {
  readonly socket: Socket
  readonly user: Author
  readonly memberships = new Map<string, Membership>()
  /** Rooms that are looked up, by the name that was asked for. */
  readonly finding = new Map<string, Promise<string>>()
  /** Joins that wait or run, by room. */
  readonly joining = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()
  #lastCheck: Promise<unknown> = Promise.resolve()
  #checking = 0
  #waiting = 0
  #openRequests = 0
  #draining = false
  /** Ends the pause of the page that waits. */
  #wake: (() => void) | undefined
  readonly #options: SessionOptions
  readonly #onFinished: (() => void)[] = []

  constructor(socket: Socket, user: Author, options: SessionOptions) {
    this.socket = socket
    this.user = user
    this.#options = options
  }

  /**
   * As `runInOrder`, for work with a large response. Refuses it when the client is behind. When the user has
   * had too many pages, it waits for some seconds first: after a restart all tabs of a user join all their
   * rooms at the same time.
   */
  runPageRequest<T>(work: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + PAGE_WAIT_MAX_MS
    return this.runInOrder(async () => {
      if (this.#options.isSlow()) {
        const options = { retryAfterMs: UNREAD_RETRY_MS }
        throw new RookeryError('rate_limited', 'read first what has been sent', options)
      }
      // Inside the queue, so that a later request can't overtake this one.
      await this.#takePage(deadlineMs)
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

  /** Runs `check` when those before it have ended, so that no request overtakes an earlier one. */
  async checkInTurn(check: () => Promise<void>): Promise<void> {
    if (this.#checking >= WAITING_MAX) {
      throw new RookeryError('rate_limited', 'too many requests wait for their turn', { retryAfterMs: 1_000 })
    }
    this.#checking += 1
    const turn = this.#lastCheck.then(check).finally(() => {
      this.#checking -= 1
    })
    this.#lastCheck = turn.catch(() => undefined)
    return turn
  }

  async #takePage(deadlineMs: number): Promise<void> {
    for (;;) {
      try {
        return await this.#options.takePage()
      } catch (error) {
        const { code, retryAfterMs = Number.POSITIVE_INFINITY } = error instanceof RookeryError ? error : {}
        if (code !== 'rate_limited' || performance.now() + retryAfterMs > deadlineMs) throw error
        this.#options.onWait?.()
        await this.#pause(retryAfterMs)
        if (this.#draining) throw new RookeryError('draining', 'this worker is going; connect again')
        if (!this.socket.connected) throw new RookeryError('unavailable', 'the connection is gone')
      }
    }
  }

  /** Ends early when the worker goes. */
  async #pause(ms: number): Promise<void> {
    if (this.#draining) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
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
    this.#wake?.()
    if (this.#openRequests === 0) return
    await new Promise<void>((resolve) => this.#onFinished.push(resolve))
  }
}
