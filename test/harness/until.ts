/** Waits for a condition; the deadline only ends what hangs, no test depends on it. */
import { setTimeout as delay } from 'node:timers/promises'

const DEADLINE_MS = 100_000
const LOOK_EVERY_MS = 10
/** A look that asks another process costs both processes time: a fifth of a wait goes into looking at most. */
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
