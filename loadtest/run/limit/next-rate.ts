/** The next rate of a search: the rate doubles until it does not hold, then the gap is halved. Pure. */

export interface Tried {
  ratePerSec: number
  held: boolean
}

/** Most runs of one search. */
export const MOST_TRIES = 14
/** The search ends when the lowest failed rate is at most this many times the highest rate that held. */
const NEAR_ENOUGH = 1.1
const LEAST_RATE = 1

/** @returns undefined when the search is over */
export function nextRate(tried: readonly Tried[], firstRate: number): number | undefined {
  if (tried.length === 0) return firstRate
  if (tried.length >= MOST_TRIES) return undefined
  const held = highestHeld(tried)
  const failed = Math.min(
    ...tried.filter((one) => !one.held && one.ratePerSec > held).map((one) => one.ratePerSec),
  )
  if (failed === Number.POSITIVE_INFINITY) return held * 2
  if (held === 0) return failed / 2 < LEAST_RATE ? undefined : rounded(failed / 2)
  if (failed <= held * NEAR_ENOUGH) return undefined
  return rounded(Math.sqrt(failed * held))
}

/** 0: none. */
export function highestHeld(tried: readonly Tried[]): number {
  return Math.max(0, ...tried.filter(({ held }) => held).map(({ ratePerSec }) => ratePerSec))
}

/** Three digits: more would suggest false precision. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(3))
}
