/**
 * Finds workers whose event loop hangs: each ready worker is asked something that every living one answers. Only so many
 * unanswered questions in a row count, so that a primary that was itself stopped for a while blames nobody.
 */
import type { Logger } from 'pino'

const MISSES = 3

export interface HangWatchOptions {
  /** Without an answer for so long a worker hangs. 0: never. */
  timeoutMs: number
  ready: () => readonly string[]
  /** Rejects when there is no answer within `timeoutMs`. */
  ask: (worker: string, options: { timeoutMs: number }) => Promise<unknown>
  onHung: (worker: string, reason: string) => void
  logger: Logger
}

/** @returns a function that ends the watch */
export function watchForHangs(options: HangWatchOptions): () => void {
  if (options.timeoutMs === 0) return () => undefined
  const everyMs = Math.ceil(options.timeoutMs / MISSES)
  const misses = new Map<string, number>()
  const look = async (worker: string) => {
    try {
      await options.ask(worker, { timeoutMs: everyMs })
      misses.delete(worker)
    } catch (error) {
      const count = (misses.get(worker) ?? 0) + 1
      misses.set(worker, count)
      options.logger.warn({ err: error, worker, count }, 'a worker does not answer')
      if (count === MISSES) options.onHung(worker, `it answered nothing for ${options.timeoutMs} ms`)
    }
  }
  const timer = setInterval(() => {
    const ready = new Set(options.ready())
    for (const worker of misses.keys()) if (!ready.has(worker)) misses.delete(worker)
    for (const worker of ready) void look(worker)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
