/**
 * Reports once a second, at whole seconds of the clock: events since the last report, and this process's own
 * load.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { AgentSecond } from '../../model/agent-protocol.ts'
import type { Clock } from '../../system/clock.ts'
import type { Counters } from './counters.ts'

const SECOND_MS = 1_000
const RESOLUTION_MS = 10

export class Reporter {
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #report: (second: AgentSecond) => void
  readonly #delay: IntervalHistogram
  #cpu = process.cpuUsage()
  #timer: NodeJS.Timeout | undefined
  #dueAt: number

  constructor(counters: Counters, clock: Clock, report: (second: AgentSecond) => void) {
    this.#counters = counters
    this.#clock = clock
    this.#report = report
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delay.enable()
    this.#dueAt = this.#nextSecond()
    this.#wait()
  }

  /** Reports immediately what happened since the last report. */
  now(): void {
    const cpu = process.cpuUsage()
    this.#report({
      type: 'second',
      at: this.#clock(),
      ...this.#counters.take(),
      eventLoopDelayP99Ms: this.#delayMs(),
      cpuMs: (cpu.user + cpu.system - this.#cpu.user - this.#cpu.system) / 1_000,
    })
    this.#cpu = cpu
    this.#delay.reset()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#delay.disable()
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.now()
        // A timer can fire a fraction early: the second is reported all the same.
        this.#dueAt = Math.max(this.#dueAt + SECOND_MS, this.#nextSecond())
        this.#wait()
      },
      Math.max(0, this.#dueAt - this.#clock()),
    )
  }

  #nextSecond(): number {
    return Math.ceil(this.#clock() / SECOND_MS) * SECOND_MS
  }

  /** The histogram holds the time between two ticks, which includes the intended interval. */
  #delayMs(): number {
    return this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS)
  }
}
