/**
 * Judges a clock that may jump by a time that does not (SteadyTime). Small steps are followed. A jump is not: the
 * estimate goes on as before, until the clock is back, or has stayed changed for so long that it counts as put right.
 * What can't be undone, such as removing what is too old, has to wait until the clock has been even for a while. Pure.
 */

/** A clock that is corrected by less is followed: NTP does so all the time. */
export const CLOCK_STEP_MS = 60_000
/** A clock that has stayed changed for this long counts as put right. */
export const CLOCK_ACCEPTED_MS = 600_000
/** For this long after a jump nothing may be removed by its age. */
export const CLOCK_DOUBTED_MS = 86_400_000

export interface ClockReading {
  /** What the clock says, Unix milliseconds. */
  clockMs: number
  steadyMs: number
  /** What another clock says. A jump to the same time is a correction. */
  otherMs?: number | undefined
}

/** `byMs`: how far the clock is ahead of the estimate (negative: behind). */
export type ClockEvent =
  | { type: 'jumped'; byMs: number }
  | { type: 'returned' }
  /** The estimate is now what the clock says. `isNew`: without `jumped` before. */
  | { type: 'accepted'; byMs: number; isNew: boolean }

/** As passed to another process of the same machine. */
export interface ClockState {
  /** Unix milliseconds at the start of the machine. */
  zeroMs: number
  /** Steady time from which ages can be judged. */
  agesFromMs: number
}

export class ClockFilter {
  #zeroMs: number | undefined
  #agesFromMs: number | undefined
  #jump: { zeroMs: number; sinceMs: number } | undefined

  constructor(state?: ClockState) {
    this.#zeroMs = state?.zeroMs
    this.#agesFromMs = state?.agesFromMs
  }

  /** The estimate can't be asked before the first reading. */
  get hasReading(): boolean {
    return this.#zeroMs !== undefined
  }

  get state(): ClockState {
    if (this.#zeroMs === undefined || this.#agesFromMs === undefined)
      throw new Error('the clock was not read')
    return { zeroMs: this.#zeroMs, agesFromMs: this.#agesFromMs }
  }

  observe({ clockMs, steadyMs, otherMs }: ClockReading): ClockEvent | undefined {
    const zeroMs = clockMs - steadyMs
    // It may have been wrong before, too.
    this.#agesFromMs ??= steadyMs + CLOCK_ACCEPTED_MS
    const byMs = zeroMs - (this.#zeroMs ?? zeroMs)
    if (isSmall(byMs)) return this.#follow(zeroMs)

    this.#agesFromMs = steadyMs + CLOCK_DOUBTED_MS
    const known = this.#jump
    const isNew = known === undefined || !isSmall(zeroMs - known.zeroMs)
    const sinceMs = isNew ? steadyMs : known.sinceMs
    // Machines without a clock of their own get the time soon after their start.
    const isExpected = steadyMs < CLOCK_ACCEPTED_MS || (otherMs !== undefined && isSmall(clockMs - otherMs))
    if (isExpected || steadyMs - sinceMs >= CLOCK_ACCEPTED_MS) {
      this.#follow(zeroMs)
      return { type: 'accepted', byMs, isNew }
    }
    this.#jump = { zeroMs, sinceMs }
    return isNew ? { type: 'jumped', byMs } : undefined
  }

  /** Unix milliseconds. */
  timeAt(steadyMs: number): number {
    return Math.round(this.state.zeroMs + steadyMs)
  }

  /** Whether the clock has been even for long enough to remove something by its age. */
  canJudgeAges(steadyMs: number): boolean {
    return this.#agesFromMs !== undefined && this.#jump === undefined && steadyMs >= this.#agesFromMs
  }

  #follow(zeroMs: number): ClockEvent | undefined {
    const hadJumped = this.#jump !== undefined
    this.#zeroMs = zeroMs
    this.#jump = undefined
    return hadJumped ? { type: 'returned' } : undefined
  }
}

const isSmall = (ms: number) => Math.abs(ms) <= CLOCK_STEP_MS

/**
 * The time of an entry that follows one of `lastMs`: not earlier, except where a clock was put right. Otherwise one entry
 * from the future would fix the time of all later ones.
 */
export function timeAfter(lastMs: number, nowMs: number): number {
  return lastMs - nowMs > CLOCK_STEP_MS ? nowMs : Math.max(lastMs, nowMs)
}
