/** Delay before the next attempt to reach Redis. Pure. */
const BASE_MS = 50
const MAX_MS = 2_000
const DOUBLINGS_MAX = 10

/**
 * Grows to 2 s and stays there. Half of it is random, so that hosts do not reconnect at the same moment.
 * @param failures failed attempts in a row, at least 1
 * @param random from 0 up to 1
 */
export function retryDelayMs(failures: number, random: number): number {
  const ceilingMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures - 1, DOUBLINGS_MAX))
  return Math.round(ceilingMs * (0.5 + random / 2))
}
