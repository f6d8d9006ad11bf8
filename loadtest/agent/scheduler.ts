/**
 * Runs items at their times. After a stall it runs everything that became due meanwhile, in order. Its timer
 * has whole milliseconds, so items run up to 2 ms late on an idle machine.
 */
import type { Clock } from '../system/clock.ts'

export interface SchedulerOptions<T> {
  /** In order of time. */
  items: Iterator<T, void>
  at: (item: T) => number
  act: (item: T, nowMs: number) => void
  clock: Clock
}

const MAX_DELAY_MS = 2_147_483_647
/** Then sockets get their turn. */
const MAX_BATCH = 200

export class Scheduler<T> {
  readonly #options: SchedulerOptions<T>
  #next: T | undefined
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(options: SchedulerOptions<T>) {
    this.#options = options
    this.#advance()
    this.#run()
  }

  get done(): boolean {
    return this.#next === undefined
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#next = undefined
  }

  /** Runs what is due by now, then stops: a late process leaves nothing out. */
  finish(): void {
    const { at, act, clock } = this.#options
    const nowMs = clock()
    for (let item = this.#next; item !== undefined && at(item) <= nowMs; item = this.#next) {
      this.#advance()
      act(item, nowMs)
    }
    this.stop()
  }

  #run(): void {
    const { at, act, clock } = this.#options
    for (let done = 0; done < MAX_BATCH; done += 1) {
      const item = this.#next
      const nowMs = clock()
      if (item === undefined || at(item) > nowMs) return this.#wait()
      this.#advance()
      act(item, nowMs)
    }
    this.#immediate = setImmediate(() => this.#run())
  }

  #wait(): void {
    if (this.#next === undefined) return
    const { at, clock } = this.#options
    const waitMs = Math.ceil(at(this.#next) - clock())
    this.#timer = setTimeout(() => this.#run(), Math.min(MAX_DELAY_MS, Math.max(1, waitMs)))
  }

  #advance(): void {
    const { value, done } = this.#options.items.next()
    this.#next = done === true || value === undefined ? undefined : value
  }
}
