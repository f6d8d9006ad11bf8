/**
 * Milliseconds since the machine started: a time that nobody sets. Unlike `performance.now` it counts on while
 * the machine sleeps (on Linux and macOS). Reading it costs a file access, so in between it is calculated.
 */
import { uptime } from 'node:os'

export interface TimeReadings {
  /** The clock of the machine, Unix milliseconds. */
  wall: () => number
  /** Milliseconds since any moment, without those of a sleep. Cheap. */
  passed: () => number
  /** Milliseconds since the machine started. */
  uptime: () => number
}

export const systemReadings: TimeReadings = {
  wall: () => Date.now(),
  passed: () => performance.now(),
  uptime: () => uptime() * 1_000,
}

const READ_EVERY_MS = 1_000

export class SteadyTime {
  readonly #readings: TimeReadings
  #wallMs = 0
  #passedMs = Number.NEGATIVE_INFINITY
  #uptimeMs = 0

  constructor(readings: TimeReadings) {
    this.#readings = readings
  }

  now(): number {
    const wallMs = this.#readings.wall()
    const passedMs = this.#readings.passed()
    const sinceMs = passedMs - this.#passedMs
    // When both go on differently, the clock was set, or the machine has slept.
    const isEven = Math.abs(wallMs - this.#wallMs - sinceMs) < READ_EVERY_MS
    if (sinceMs < READ_EVERY_MS && isEven) return this.#uptimeMs + sinceMs
    this.#wallMs = wallMs
    this.#passedMs = passedMs
    this.#uptimeMs = this.#readings.uptime()
    return this.#uptimeMs
  }
}
