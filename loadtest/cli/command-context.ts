/**
 * Progress output of a command, and its interruption by the user. Progress goes to standard error, so that
 * standard output has only the result.
 */

import { Progress } from '../report/terminal/progress.ts'
import { listenForInterruption } from '../run/interruption.ts'
import { ProgressObserver, type RunObserver } from '../run/observer.ts'
import { nowMs } from '../system/clock.ts'

export interface CommandContext {
  readonly stop: AbortSignal
  note(line: string): void
  /** For one run. */
  observer(clients: number): RunObserver
}

/** Restores the progress line and the signal handlers, whatever the outcome of `work`. */
export async function withCommandContext<T>(work: (context: CommandContext) => Promise<T>): Promise<T> {
  const progress = new Progress(process.stderr)
  const interruption = listenForInterruption(
    () => progress.note('Interrupted: the report follows shortly. Press Ctrl-C again to end at once.'),
    () => {
      interruption.dispose()
      // The signal's default action: child processes end with this process.
      process.kill(process.pid, 'SIGINT')
    },
  )
  const { stop } = interruption
  try {
    return await work({
      stop,
      note: (line) => progress.note(line),
      observer: (clients) => new ProgressObserver({ stop, progress, clients, now: nowMs }),
    })
  } finally {
    progress.end()
    interruption.dispose()
  }
}
