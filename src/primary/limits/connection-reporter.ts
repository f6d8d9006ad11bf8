/**
 * Tells Redis how many connections of a user this host has, whenever that changes, and now and then again, as what was told
 * counts for a bounded time. One write a user at a time, and so many at once; what could not be written is written later.
 * Knows no counts: `write` writes the one of its moment.
 */
export interface ReporterOptions {
  /** Resolves with what other hosts have. */
  write(userId: string): Promise<number>
  /** Whether the user has a connection here, and so is to be told again and again. */
  isConnected(userId: string): boolean
  onFailed(error: unknown): void
  /** Too many could not be written: of this one it is not tried any more, and what is written expires. */
  onDropped(): void
  now(): number
  /** Told again after so long; far less than what is told counts for. */
  refreshMs?: number
  retryMs?: number
  /** Users that could not be written. Past it the oldest is let go. */
  maxUnreported?: number
}

type Waiter = (others: number | undefined) => void

const MAX_CONCURRENT_WRITES = 256
const REFRESH_MS = 300_000
const RETRY_MS = 1_000
const MAX_UNREPORTED = 100_000

export class ConnectionReporter {
  readonly #options: Required<ReporterOptions>
  readonly #queue = new Set<string>()
  readonly #waiters = new Map<string, Waiter[]>()
  readonly #writing = new Set<string>()
  /** Changed while it was being written. */
  readonly #changed = new Set<string>()
  /** Could not be written. */
  readonly #unreported = new Set<string>()
  /** When a user that is here was told last, the longest ago first. */
  readonly #reportedAt = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #available = false

  constructor(options: ReporterOptions) {
    this.#options = { refreshMs: REFRESH_MS, retryMs: RETRY_MS, maxUnreported: MAX_UNREPORTED, ...options }
    this.#timer = setInterval(() => this.#reportAgain(), this.#options.retryMs)
  }

  /** Users that are still to be told of. */
  get waiting(): number {
    return this.#queue.size + this.#unreported.size
  }

  /** The number of this user's connections has changed. */
  report(userId: string): void {
    if (this.#writing.has(userId)) this.#changed.add(userId)
    else this.#queue.add(userId)
    this.#pump()
  }

  /** As `tell`. Resolves with what other hosts have at that time; `undefined` when that can't be known now. */
  ask(userId: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(userId) ?? []
      this.#waiters.set(userId, waiters)
      waiters.push(resolve)
      this.report(userId)
    })
  }

  /** Whether writing is worth a try. When it is again, all that was told may have been lost. */
  setAvailable(available: boolean, all: Iterable<string>): void {
    this.#available = available
    if (available) for (const userId of [...this.#unreported, ...all]) this.report(userId)
    this.#pump()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#available = false
    this.#pump()
  }

  #pump(): void {
    for (const userId of this.#queue) {
      if (this.#available && this.#writing.size >= MAX_CONCURRENT_WRITES) return
      this.#queue.delete(userId)
      const waiters = this.#waiters.get(userId) ?? []
      this.#waiters.delete(userId)
      if (this.#available) void this.#write(userId, waiters)
      else this.#keep(userId, waiters)
    }
  }

  async #write(userId: string, waiters: readonly Waiter[]): Promise<void> {
    this.#writing.add(userId)
    this.#unreported.delete(userId)
    try {
      const others = await this.#options.write(userId)
      this.#reportedAt.delete(userId)
      if (this.#options.isConnected(userId)) this.#reportedAt.set(userId, this.#options.now())
      for (const resolve of waiters) resolve(others)
    } catch (error) {
      this.#options.onFailed(error)
      this.#keep(userId, waiters)
    }
    this.#writing.delete(userId)
    if (this.#changed.delete(userId)) this.#queue.add(userId)
    this.#pump()
  }

  #keep(userId: string, waiters: readonly Waiter[]): void {
    for (const resolve of waiters) resolve(undefined)
    this.#unreported.add(userId)
    const [oldest] = this.#unreported
    if (this.#unreported.size <= this.#options.maxUnreported || oldest === undefined) return
    this.#unreported.delete(oldest)
    this.#options.onDropped()
  }

  #reportAgain(): void {
    if (!this.#available) return
    for (const userId of [...this.#unreported].slice(0, MAX_CONCURRENT_WRITES)) this.report(userId)
    const dueBefore = this.#options.now() - this.#options.refreshMs
    for (const [userId, reportedAt] of this.#reportedAt) {
      if (reportedAt > dueBefore) return
      this.#reportedAt.delete(userId)
      if (this.#options.isConnected(userId)) this.report(userId)
    }
  }
}
