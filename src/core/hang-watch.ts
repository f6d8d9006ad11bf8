/**
 * Detects processes that hang, by probes that every healthy process answers. Only several failed probes in a
 * row count, so that a process that was itself stopped for a while blames nobody. The caller decides what to
 * do.
 */
const MISSES = 3

export interface HangWatchOptions {
  /** A process that does not answer for this long hangs. 0: no check. */
  timeoutMs: number
  /** The processes to probe. */
  names: () => readonly string[]
  /** Rejects when there is no answer within `timeoutMs`. */
  probe: (name: string, options: { timeoutMs: number }) => Promise<unknown>
  /** `count` probes in a row have failed. */
  onSilence: (name: string, count: number, error: unknown) => void
  /** Called once for each process that hangs, with the error of the last probe. */
  onHung: (name: string, error: unknown) => void
}

/** @returns a function that stops the checks */
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
