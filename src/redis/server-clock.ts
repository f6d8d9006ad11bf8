/**
 * The clock of Redis, which all hosts share, without its jumps (core/clock-filter.ts). Each host keeps its own
 * estimate and sends it with what depends on the time, so that a jump of Redis is noticed there at once.
 */
import type { Logger } from 'pino'
import { z } from 'zod'
import { CLOCK_STEP_MS, type ClockEvent, ClockFilter } from '../core/clock-filter.ts'
import { SteadyTime, systemReadings, type TimeReadings } from '../core/steady-time.ts'

/** The answer of TIME: seconds and microseconds. */
const timeAnswer = z.tuple([z.coerce.number().int(), z.coerce.number().int()])
/** What took longer to answer says little. */
const LATE_MS = 5_000

export interface ServerClockOptions {
  /** The answers of all masters to TIME; of those that answer. */
  ask: () => Promise<readonly unknown[]>
  /** Unix milliseconds of this host. */
  hostNow?: (() => number) | undefined
  logger: Pick<Logger, 'warn'>
  onEvent: (event: ClockEvent) => void
  readings?: TimeReadings | undefined
}

export class ServerClock {
  readonly #options: ServerClockOptions
  readonly #steady: SteadyTime
  readonly #filter = new ClockFilter()
  #asking = false
  #differs = false

  constructor(options: ServerClockOptions) {
    this.#options = options
    this.#steady = new SteadyTime(options.readings ?? systemReadings)
  }

  /** Unix milliseconds; undefined until Redis has answered. */
  now(): number | undefined {
    return this.#filter.hasReading ? this.#filter.timeAt(this.#steady.now()) : undefined
  }

  /** False until some time after the first answer, and after a jump: nothing may be removed by its age. */
  canJudgeAges(): boolean {
    return this.#filter.canJudgeAges(this.#steady.now())
  }

  /** To be called regularly. Does nothing while the last call is not answered. */
  async poll(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const askedAtMs = this.#steady.now()
      const times = (await this.#options.ask()).map(toMs)
      const tookMs = this.#steady.now() - askedAtMs
      if (times.length > 0 && tookMs < LATE_MS) this.#take(median(times) + tookMs / 2)
    } finally {
      this.#asking = false
    }
  }

  #take(clockMs: number): void {
    const { hostNow, onEvent } = this.#options
    const otherMs = hostNow?.()
    const event = this.#filter.observe({ clockMs, steadyMs: this.#steady.now(), otherMs })
    if (event !== undefined) onEvent(event)
    if (otherMs !== undefined) this.#compare(otherMs)
  }

  #compare(hostMs: number): void {
    const aheadMs = Math.round(hostMs - (this.now() ?? hostMs))
    const differs = Math.abs(aheadMs) > CLOCK_STEP_MS
    if (differs && !this.#differs) this.#options.logger.warn({ aheadMs }, DIFFERENT_CLOCKS)
    this.#differs = differs
  }
}

const DIFFERENT_CLOCKS =
  'the clock of this host and that of Redis differ: messages get the time of Redis, tokens expire by the clock of this host; set both by NTP'

function toMs(answer: unknown): number {
  const [seconds, microseconds] = timeAnswer.parse(answer)
  return seconds * 1_000 + Math.floor(microseconds / 1_000)
}

/** In a Redis Cluster one master with a wrong clock does not matter. */
function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) / 2)] ?? Number.NaN
}
