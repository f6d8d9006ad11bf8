/** Ctrl-C: once, and the run is brought to its report; twice, and everything ends at once. */

export interface Interruption {
  /** Aborted by the first signal. */
  readonly stop: AbortSignal
  /** The process is no longer looked after. */
  dispose(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** @param onFirst tells the person what goes on @param onSecond ends the process */
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
