/** Ctrl-C: the first ends the run early with a report, the second ends everything at once. */

export interface Interruption {
  /** Aborted by the first signal. */
  readonly stop: AbortSignal
  /** Removes the signal handlers. */
  dispose(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** @param onFirst informs the user @param onSecond ends the process */
export function listenForInterruption(onFirst: () => void, onSecond: () => void): Interruption {
  const controller = new AbortController()
  const take = () => {
    if (controller.signal.aborted) return onSecond()
    controller.abort()
    onFirst()
  }
  for (const signal of SIGNALS) process.on(signal, take)
  return {
    stop: controller.signal,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, take)
    },
  }
}
