/** The delay before the next attempt: exponential with full jitter, plus what the server asked for. Pure. */
export interface BackOff {
  baseMs: number
  maxMs: number
  /** In [0, 1). */
  random: () => number
}

/** Full jitter can be 0. This minimum prevents a tight loop. */
const LEAST_MS = 20
/** The longest delay that the server can ask for. */
const ASKED_MAX_MS = 600_000
const DOUBLINGS_MAX = 30

/** @param failures failed attempts in a row, at least 1 */
export function retryDelayMs(backOff: BackOff, failures: number, retryAfterMs = 0): number {
  const doublings = Math.min(DOUBLINGS_MAX, Math.max(0, failures - 1))
  const ceilingMs = Math.min(backOff.maxMs, backOff.baseMs * 2 ** doublings)
  const asked = Number.isFinite(retryAfterMs) ? Math.min(ASKED_MAX_MS, Math.max(0, retryAfterMs)) : 0
  return asked + Math.max(LEAST_MS, backOff.random() * ceilingMs)
}
