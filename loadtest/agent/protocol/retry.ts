/** Retries with growing delays until done or aborted: for requests on one connection. */

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

/** The outcome of one attempt. A number: retry, but not before that many milliseconds. */
export type Outcome = 'done' | 'never' | 'again' | number

/** @returns whether it was done. A failed request is retried. */
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
