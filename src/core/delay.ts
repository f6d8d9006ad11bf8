import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits. Resolves early when aborted, so check the signal afterwards; never rejects. Keeps no process alive.
 */
export async function abortableDelay(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
