/**
 * Presence as a worker tells it: entering and leaving. Leaves that could not be told are kept and told again, less and
 * less often, so that nobody stays who is gone. Bounded: past the bound the oldest is let go, and counted.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { LogGate } from '../core/log-gate.ts'
import { readGauge } from '../core/read-gauge.ts'
import type { RoomMembers } from '../wire/app.ts'
import type { Author } from '../wire/entry.ts'
import type { Link } from './link.ts'

const UNTOLD_MAX = 50_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** Lines about leaves that could not be told are that far apart. */
const UNTOLD_LOG_MS = 5_000

interface Stay {
  room: string
  userId: string
  stay: string
}

export interface StaysOptions {
  link: Pick<Link, 'request'>
  logger: Logger
  registry: Registry
  untoldMax?: number
  firstPauseMs?: number
}

export class Stays {
  readonly #link: StaysOptions['link']
  readonly #logger: Logger
  readonly #gate = new LogGate(UNTOLD_LOG_MS)
  readonly #untoldMax: number
  readonly #firstPauseMs: number
  /** Oldest first. */
  readonly #untold = new Set<Stay>()
  readonly #forgotten: Counter
  #pauseMs: number
  /** Of the next try: whether it waits for its time, or is under way. */
  #due = false

  constructor({ link, logger, registry, ...bounds }: StaysOptions) {
    this.#link = link
    this.#logger = logger
    this.#untoldMax = bounds.untoldMax ?? UNTOLD_MAX
    this.#firstPauseMs = bounds.firstPauseMs ?? FIRST_PAUSE_MS
    this.#pauseMs = this.#firstPauseMs
    readGauge(registry, {
      name: 'rookery_presence_untold_leaves',
      help: 'Leaves that the primary could not be told of yet',
      read: () => this.#untold.size,
    })
    this.#forgotten = new Counter({
      name: 'rookery_presence_forgotten_leaves_total',
      help: 'Leaves that were never told, because too many waited',
      registers: [registry],
    })
  }

  enter(room: string, user: Author, stay: string): Promise<RoomMembers> {
    return this.#link.request('presence.enter', { room, user, stay })
  }

  leave(room: string, userId: string, stay: string): void {
    const leave = { room, userId, stay }
    this.#tell(leave).catch((error: unknown) => {
      this.#warn(error)
      this.#keep(leave)
    })
  }

  async #tell(leave: Stay): Promise<void> {
    await this.#link.request('presence.leave', leave)
  }

  #keep(leave: Stay): void {
    this.#untold.add(leave)
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
      for (const leave of this.#untold) {
        await this.#tell(leave)
        this.#untold.delete(leave)
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
    this.#gate.pass((heldBack) =>
      this.#logger.warn({ err: error, heldBack }, 'presence: a leave could not be told yet'),
    )
  }
}
