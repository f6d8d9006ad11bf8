/** What a command shows while it works, and how a person ends it. Progress goes to standard error: the result alone is for a pipe. */

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

/** The line of progress and the signals are given back whatever becomes of `work`. */
export async function withCommandContext<T>(work: (context: CommandContext) => Promise<T>): Promise<T> {
  const progress = new Progress(process.stderr)
  const interruption = listenForInterruption(
    () => progress.note('Interrupted: the report comes in a moment. Once more ends at once.'),
    () => {
      interruption.dispose()
      // The default of the signal: what was started dies with this process.
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
