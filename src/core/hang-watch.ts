/**
 * Finds who hangs: each is asked something that every living one answers. Only so many unanswered questions in a row count, so
 * that one who stood still itself for a while blames nobody. What is done about it is the caller's.
 */
const MISSES = 3

export interface HangWatchOptions {
  /** Without an answer for so long one hangs. 0: never. */
  timeoutMs: number
  /** Names of those to ask. */
  names: () => readonly string[]
  /** Rejects when there is no answer within `timeoutMs`. */
  probe: (name: string, options: { timeoutMs: number }) => Promise<unknown>
  /** `count` questions in a row have had no answer. */
  onSilence: (name: string, count: number, error: unknown) => void
  /** Called once for each that hangs, with what came of the last question. */
  onHung: (name: string, error: unknown) => void
}

/** @returns a function that ends the watch */
export function watchForHangs(options: HangWatchOptions): () => void {
  if (options.timeoutMs === 0) return () => undefined
  const everyMs = Math.ceil(options.timeoutMs / MISSES)
  const misses = new Map<string, number>()
  const look = async (name: string) => {
    try {
      await options.probe(name, { timeoutMs: everyMs })
      misses.delete(name)
    } catch (error) {
      const count = (misses.get(name) ?? 0) + 1
      misses.set(name, count)
      options.onSilence(name, count, error)
      if (count === MISSES) options.onHung(name, error)
    }
  }
  const timer = setInterval(() => {
    const asked = new Set(options.names())
    for (const name of misses.keys()) if (!asked.has(name)) misses.delete(name)
    for (const name of asked) void look(name)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
