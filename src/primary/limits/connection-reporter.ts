/**
 * Reports to Redis how many connections a user has on this host: at each change, and again from time to time
 * because reports expire. At most one write per user and a limited number of writes at once. Failed writes
 * are retried. Holds no counts: `write` reads the current one.
 */
export interface ReporterOptions {
  /** Resolves with the number of connections on other hosts. */
  write(userId: string): Promise<number>
  /** Whether the user has a connection on this host; if so, the report is refreshed. */
  isConnected(userId: string): boolean
  onFailed(error: unknown): void
  /** Too many failed writes: one of them is no longer retried, and its last report expires. */
  onDropped(): void
  now(): number
  /** Interval of refreshes; far shorter than the lifetime of a report. */
  refreshMs?: number
  retryMs?: number
  /** Limit of users with a failed write. Beyond it the oldest is dropped. */
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
  /** Users that changed during their write. */
  readonly #changed = new Set<string>()
  /** Users whose write failed. */
  readonly #unreported = new Set<string>()
  /** Time of the last report of each connected user, oldest first. */
  readonly #reportedAt = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #available = false

  constructor(options: ReporterOptions) {
    this.#options = { refreshMs: REFRESH_MS, retryMs: RETRY_MS, maxUnreported: MAX_UNREPORTED, ...options }
    this.#timer = setInterval(() => this.#reportAgain(), this.#options.retryMs)
  }

  /** Users that are still to be reported. */
  get waiting(): number {
    return this.#queue.size + this.#unreported.size
  }

  /** The number of this user's connections has changed. */
  report(userId: string): void {
    if (this.#writing.has(userId)) this.#changed.add(userId)
    else this.#queue.add(userId)
    this.#pump()
  }

  /**
   * Like `report`. Resolves with the number of connections on other hosts; `undefined` if it can't be known
   * now.
   */
  ask(userId: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(userId) ?? []
      this.#waiters.set(userId, waiters)
      waiters.push(resolve)
      this.report(userId)
    })
  }

  /**
   * Whether Redis can be written. When it becomes available again, earlier reports may be lost, so all are
   * sent again.
   */
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
