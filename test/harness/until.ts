/** Waits for a condition. The deadline only ends a hanging test; no test depends on its length. */
import { setTimeout as delay } from 'node:timers/promises'

const DEADLINE_MS = 100_000
const LOOK_EVERY_MS = 10
/** A check that calls another process costs CPU time in both: at most a fifth of a wait is spent checking. */
const PAUSE_PER_LOOK = 4
const LONGEST_PAUSE_MS = 100

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  explain: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const lookedAt = performance.now()
    if (await condition()) return
    const pauseMs = (performance.now() - lookedAt) * PAUSE_PER_LOOK
    if (Date.now() > deadline) throw new Error(`never came true: ${what}\n${explain()}`)
    await delay(Math.min(LONGEST_PAUSE_MS, Math.max(LOOK_EVERY_MS, pauseMs)))
  }
}
