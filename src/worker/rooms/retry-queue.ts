/**
 * What the primary is to be told and could not be told yet: kept, and told again, less and less often, so that nothing stays
 * that is over. Bounded: past the bound the oldest is let go, and counted.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { LogThrottle } from '../../core/log-throttle.ts'
import { registerGauge } from '../../core/register-gauge.ts'

const UNTOLD_MAX = 50_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** Lines about what could not be told are that far apart. */
const UNTOLD_LOG_MS = 5_000

export interface UntoldOptions<T> {
  /** Telling the same twice is harmless. */
  tell(item: T): Promise<unknown>
  /** What is left, in the log and in the names of metrics: `presence`. */
  part: string
  logger: Logger
  registry: Registry
  untoldMax?: number
  firstPauseMs?: number
}

export class Untold<T> {
  readonly #options: UntoldOptions<T>
  readonly #throttle = new LogThrottle(UNTOLD_LOG_MS)
  readonly #untoldMax: number
  readonly #firstPauseMs: number
  /** Oldest first. */
  readonly #untold = new Set<T>()
  readonly #forgotten: Counter
  #pauseMs: number
  /** Of the next try: whether it waits for its time, or is under way. */
  #due = false

  constructor(options: UntoldOptions<T>) {
    const { part, registry } = options
    this.#options = options
    this.#untoldMax = options.untoldMax ?? UNTOLD_MAX
    this.#firstPauseMs = options.firstPauseMs ?? FIRST_PAUSE_MS
    this.#pauseMs = this.#firstPauseMs
    registerGauge(registry, {
      name: `rookery_${part}_untold_leaves`,
      help: 'Leaves that the primary could not be told of yet',
      read: () => this.#untold.size,
    })
    this.#forgotten = new Counter({
      name: `rookery_${part}_forgotten_leaves_total`,
      help: 'Leaves that were never told, because too many waited',
      registers: [registry],
    })
  }

  tell(item: T): void {
    this.#options.tell(item).catch((error: unknown) => {
      this.#warn(error)
      this.#keep(item)
    })
  }

  #keep(item: T): void {
    this.#untold.add(item)
    const [oldest] = this.#untold
    if (this.#untold.size > this.#untoldMax && oldest !== undefined) {
      this.#untold.delete(oldest)
      this.#forgotten.inc()
    }
    this.#wait()
  }

  #wait(): void {
    if (this.#due || this.#untold.size === 0) return
    this.#due = true
    setTimeout(() => void this.#tellAgain(), this.#pauseMs).unref()
  }

  /** One after the other: when the first fails, the next would too. */
  async #tellAgain(): Promise<void> {
    try {
      for (const item of this.#untold) {
        await this.#options.tell(item)
        this.#untold.delete(item)
      }
      this.#pauseMs = this.#firstPauseMs
    } catch (error) {
      this.#warn(error)
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
    }
    this.#due = false
    this.#wait()
  }

  #warn(error: unknown): void {
    const { logger, part } = this.#options
    this.#throttle.run((heldBack) =>
      logger.warn({ err: error, heldBack, part }, 'a leave could not be told yet'),
    )
  }
}
