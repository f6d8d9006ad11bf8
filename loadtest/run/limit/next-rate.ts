/** The next rate of a search: the rate doubles until it does not hold, then the gap is halved. Pure. */

export interface TestedRate {
  ratePerSec: number
  held: boolean
}

/** Most runs of one search. */
export const MAX_STEPS = 14
/** The search ends when the lowest failed rate is at most this many times the highest rate that held. */
const MAX_GAP_RATIO = 1.1
const MIN_RATE = 1

/** @returns undefined when the search is over */
export function nextRate(tested: readonly TestedRate[], firstRate: number): number | undefined {
  if (tested.length === 0) return firstRate
  if (tested.length >= MAX_STEPS) return undefined
  const held = highestHeld(tested)
  const failed = Math.min(
    ...tested.filter((one) => !one.held && one.ratePerSec > held).map((one) => one.ratePerSec),
  )
  if (failed === Number.POSITIVE_INFINITY) return held * 2
  if (held === 0) return failed / 2 < MIN_RATE ? undefined : rounded(failed / 2)
  if (failed <= held * MAX_GAP_RATIO) return undefined
  return rounded(Math.sqrt(failed * held))
}

/** 0: none. */
export function highestHeld(tested: readonly TestedRate[]): number {
  return Math.max(0, ...tested.filter(({ held }) => held).map(({ ratePerSec }) => ratePerSec))
}

/** Three digits: more would suggest false precision. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(3))
}
