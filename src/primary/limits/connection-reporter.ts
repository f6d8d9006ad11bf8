/**
 * Tells Redis how many connections of a user this host has, whenever that changes, and now and then again, as what was told
 * counts for a bounded time. One write a user at a time, and so many at once; what could not be written is written later.
 * Knows no counts: `write` writes the one of its moment.
 */
export interface TellingOptions {
  /** Resolves with what other hosts have. */
  write(userId: string): Promise<number>
  /** Whether the user has a connection here, and so is to be told again and again. */
  isHere(userId: string): boolean
  onFailed(error: unknown): void
  /** Too many could not be written: of this one it is not tried any more, and what is written expires. */
  onForgotten(): void
  now(): number
  /** Told again after so long; far less than what is told counts for. */
  againMs?: number
  retryMs?: number
  /** Users that could not be written. Past it the oldest is let go. */
  maxUntold?: number
}

type Ask = (others: number | undefined) => void

const WRITES_AT_ONCE = 256
const AGAIN_MS = 300_000
const RETRY_MS = 1_000
const MAX_UNTOLD = 100_000

export class ConnectionTelling {
  readonly #options: Required<TellingOptions>
  readonly #queue = new Set<string>()
  readonly #asks = new Map<string, Ask[]>()
  readonly #writing = new Set<string>()
  /** Changed while it was being written. */
  readonly #changed = new Set<string>()
  /** Could not be written. */
  readonly #untold = new Set<string>()
  /** When a user that is here was told last, the longest ago first. */
  readonly #toldAt = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #able = false

  constructor(options: TellingOptions) {
    this.#options = { againMs: AGAIN_MS, retryMs: RETRY_MS, maxUntold: MAX_UNTOLD, ...options }
    this.#timer = setInterval(() => this.#tellAgain(), this.#options.retryMs)
  }

  /** Users that are still to be told of. */
  get waiting(): number {
    return this.#queue.size + this.#untold.size
  }

  /** The number of this user's connections has changed. */
  tell(userId: string): void {
    if (this.#writing.has(userId)) this.#changed.add(userId)
    else this.#queue.add(userId)
    this.#pump()
  }

  /** As `tell`. Resolves with what other hosts have at that time; `undefined` when that can't be known now. */
  ask(userId: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const asks = this.#asks.get(userId) ?? []
      this.#asks.set(userId, asks)
      asks.push(resolve)
      this.tell(userId)
    })
  }

  /** Whether writing is worth a try. When it is again, all that was told may have been lost. */
  setAble(able: boolean, all: Iterable<string>): void {
    this.#able = able
    if (able) for (const userId of [...this.#untold, ...all]) this.tell(userId)
    this.#pump()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#able = false
    this.#pump()
  }

  #pump(): void {
    for (const userId of this.#queue) {
      if (this.#able && this.#writing.size >= WRITES_AT_ONCE) return
      this.#queue.delete(userId)
      const asks = this.#asks.get(userId) ?? []
      this.#asks.delete(userId)
      if (this.#able) void this.#write(userId, asks)
      else this.#keep(userId, asks)
    }
  }

  async #write(userId: string, asks: readonly Ask[]): Promise<void> {
    this.#writing.add(userId)
    this.#untold.delete(userId)
    try {
      const others = await this.#options.write(userId)
      this.#toldAt.delete(userId)
      if (this.#options.isHere(userId)) this.#toldAt.set(userId, this.#options.now())
      for (const resolve of asks) resolve(others)
    } catch (error) {
      this.#options.onFailed(error)
      this.#keep(userId, asks)
    }
    this.#writing.delete(userId)
    if (this.#changed.delete(userId)) this.#queue.add(userId)
    this.#pump()
  }

  #keep(userId: string, asks: readonly Ask[]): void {
    for (const resolve of asks) resolve(undefined)
    this.#untold.add(userId)
    const [oldest] = this.#untold
    if (this.#untold.size <= this.#options.maxUntold || oldest === undefined) return
    this.#untold.delete(oldest)
    this.#options.onForgotten()
  }

  #tellAgain(): void {
    if (!this.#able) return
    for (const userId of [...this.#untold].slice(0, WRITES_AT_ONCE)) this.tell(userId)
    const dueBefore = this.#options.now() - this.#options.againMs
    for (const [userId, toldAt] of this.#toldAt) {
      if (toldAt > dueBefore) return
      this.#toldAt.delete(userId)
      if (this.#options.isHere(userId)) this.tell(userId)
    }
  }
}
