/** How long to wait before the next try: exponential with full jitter, and never less than the server asked for. Pure. */
export interface BackOff {
  baseMs: number
  maxMs: number
  /** From 0 up to 1, without it. */
  random: () => number
}

/** Full jitter may come out as nothing at all; so many milliseconds keep it from being a tight loop. */
const LEAST_MS = 20
/** What a server may make a client wait at most, whatever it says. */
const ASKED_MAX_MS = 600_000
const DOUBLINGS_MAX = 30

/** @param failures tries that have failed in a row, at least 1 */
export function retryDelayMs(backOff: BackOff, failures: number, retryAfterMs = 0): number {
  const doublings = Math.min(DOUBLINGS_MAX, Math.max(0, failures - 1))
  const ceilingMs = Math.min(backOff.maxMs, backOff.baseMs * 2 ** doublings)
  const asked = Number.isFinite(retryAfterMs) ? Math.min(ASKED_MAX_MS, Math.max(0, retryAfterMs)) : 0
  return asked + Math.max(LEAST_MS, backOff.random() * ceilingMs)
}
