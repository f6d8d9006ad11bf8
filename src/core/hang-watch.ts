/**
 * Detects processes that hang, by probes that every healthy process answers. Only several failed probes in a
 * row count, and not those during which this process stood still itself: then the other may have as well (the
 * machine slept, all were stopped). The caller decides what to do.
 */
const MISSES = 3
/** A probe that took this many times as long as it may: this process stood still. */
const STOOD_STILL = 1.5

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
  /** Monotonic milliseconds. */
  now?: () => number
}

/** @returns a function that stops the checks */
export function watchForHangs(options: HangWatchOptions): () => void {
  if (options.timeoutMs === 0) return () => undefined
  const everyMs = Math.ceil(options.timeoutMs / MISSES)
  const misses = new Map<string, number>()
  const now = options.now ?? (() => performance.now())
  const look = async (name: string) => {
    const askedAt = now()
    try {
      await options.probe(name, { timeoutMs: everyMs })
      misses.delete(name)
    } catch (error) {
      if (now() - askedAt > everyMs * STOOD_STILL) return
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
