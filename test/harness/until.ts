/** Waits for a condition; the deadline only ends what hangs, no test depends on it. */
import { setTimeout as delay } from 'node:timers/promises'

const DEADLINE_MS = 100_000
const LOOK_EVERY_MS = 10

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  explain: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}\n${explain()}`)
    await delay(LOOK_EVERY_MS)
  }
}
