/** How long to wait before Redis is tried again. Pure. */
const BASE_MS = 50
const MAX_MS = 2_000
const DOUBLINGS_MAX = 10

/**
 * Grows to 2 s and stays there for ever; half of it is left to chance, so that hosts do not come back in step.
 * @param failures tries that have failed in a row, at least 1
 * @param random from 0 up to 1
 */
export function retryDelayMs(failures: number, random: number): number {
  const ceilingMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures - 1, DOUBLINGS_MAX))
  return Math.round(ceilingMs * (0.5 + random / 2))
}
