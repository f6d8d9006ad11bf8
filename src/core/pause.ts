/** Waits in vain: for loops that look again some time later. */
import { setTimeout as delay } from 'node:timers/promises'

/** Ends early when aborted, without an error: who asks looks at the signal. Keeps no process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
