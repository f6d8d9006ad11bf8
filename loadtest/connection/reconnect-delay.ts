/** How long socket.io-client waits before its next attempt, with its default settings. Pure. */

const FIRST_MS = 1_000
const MAX_DELAY_MS = 5_000
const JITTER = 0.5

/** @param failures failed attempts since it was last connected @param random from 0 to less than 1 */
export function reconnectDelayMs(failures: number, random: number): number {
  const middleMs = FIRST_MS * 2 ** Math.min(failures, 10)
  return Math.min(MAX_DELAY_MS, middleMs * (1 + JITTER * (2 * random - 1)))
}
