/** The clock of this machine without its jumps (clock-filter.ts). It is looked at regularly, also when nobody asks. */
import { type ClockEvent, ClockFilter, type ClockState } from './clock-filter.ts'
import { SteadyTime, systemReadings, type TimeReadings } from './steady-time.ts'

const LOOK_EVERY_MS = 1_000
const AT_ONCE_MS = 1_000
const READ_TRIES = 3

export interface HostClockOptions {
  onEvent?: ((event: ClockEvent) => void) | undefined
  /** What another process of this machine knows of the clock. */
  state?: ClockState | undefined
  readings?: TimeReadings | undefined
}

export class HostClock {
  readonly #readings: TimeReadings
  readonly #onEvent: ((event: ClockEvent) => void) | undefined
  readonly #steady: SteadyTime
  readonly #filter: ClockFilter
  readonly #timer: NodeJS.Timeout

  constructor({ onEvent, state, readings = systemReadings }: HostClockOptions = {}) {
    this.#readings = readings
    this.#onEvent = onEvent
    this.#steady = new SteadyTime(readings)
    this.#filter = new ClockFilter(state)
    this.#look()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  /** Unix milliseconds. */
  now(): number {
    return this.#filter.timeAt(this.#look())
  }

  /** False for some time after the start and after a jump: nothing may be removed by its age. */
  canJudgeAges(): boolean {
    return this.#filter.canJudgeAges(this.#look())
  }

  get state(): ClockState {
    return this.#filter.state
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** @returns the steady time */
  #look(): number {
    const reading = this.#read()
    const event = this.#filter.observe(reading)
    if (event !== undefined) this.#onEvent?.(event)
    return reading.steadyMs
  }

  /** Both at the same moment: the process may stand still in between. */
  #read(): { clockMs: number; steadyMs: number } {
    let before = this.#steady.now()
    for (let tries = 1; ; tries += 1) {
      const clockMs = this.#readings.wall()
      const steadyMs = this.#steady.now()
      if (steadyMs - before < AT_ONCE_MS || tries === READ_TRIES) return { clockMs, steadyMs }
      before = steadyMs
    }
  }
}
