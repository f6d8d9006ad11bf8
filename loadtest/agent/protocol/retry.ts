/** Tries again with growing pauses, until it is done or aborted: for what a client does on one connection. */

import { retryDelayMs } from '../../../src/client/connection/back-off.ts'
import { abortableDelay } from '../../../src/core/delay.ts'
import { RequestFailed } from '../../connection/connection.ts'
import type { Random } from '../../load/random.ts'

const BASE_MS = 100
const MAX_MS = 2_000

export interface RetryOptions {
  signal: AbortSignal
  random: Random
}

/** What one try came to; a number: again, not before so many milliseconds. */
export type Outcome = 'done' | 'never' | 'again' | number

/** @returns whether it was done. A request that failed is tried again. */
export async function retry(options: RetryOptions, once: () => Promise<Outcome>): Promise<boolean> {
  const { signal, random } = options
  for (let failures = 1; !signal.aborted; failures += 1) {
    const outcome = await tried(once)
    if (signal.aborted) return false
    if (outcome === 'done' || outcome === 'never') return outcome === 'done'
    const retryAfterMs = outcome === 'again' ? 0 : outcome
    await abortableDelay(
      retryDelayMs({ baseMs: BASE_MS, maxMs: MAX_MS, random }, failures, retryAfterMs),
      signal,
    )
  }
  return false
}

async function tried(once: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await once()
  } catch (error) {
    if (error instanceof RequestFailed) return 'again'
    throw error
  }
}
