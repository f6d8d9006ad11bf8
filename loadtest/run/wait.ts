/** Waits for a time of `system/clock.ts`, or for the user to end the run. */
import { nowMs } from '../system/clock.ts'

/** The longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Resolves at that time, or when `stop` is aborted; never rejects. */
export function waitUntil(at: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, Math.min(MAX_DELAY_MS, Math.max(0, at - nowMs())))
    stop.addEventListener('abort', end, { once: true })
    if (stop.aborted) end()
    function end() {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve()
    }
  })
}

/**
 * Resolves with the result of `work`, or with undefined as soon as `stop` is aborted; then the result of
 * `work` is ignored.
 */
export async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  const ended = new AbortController()
  try {
    return await Promise.race([work, abortOf(AbortSignal.any([stop, ended.signal]))])
  } finally {
    ended.abort()
  }
}

function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
