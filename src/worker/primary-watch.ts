/**
 * Detects that the primary hangs, and kills it: a process that hangs does not exit, so no process manager
 * would restart the host. Its workers exit when it is gone.
 *
 * Only silence counts: any byte from the primary is an answer. Bytes that arrived while this worker itself
 * was stopped are read before the primary counts as silent.
 */
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { watchForHangs } from '../core/hang-watch.ts'
import type { Link } from './link/index.ts'

export interface PrimaryWatchOptions {
  link: Pick<Link, 'request' | 'bytesRead'>
  /** 0: no check. */
  timeoutMs: number
  /** A debugger may have stopped the primary: its inspector is open. */
  isInspected: () => boolean
  logger: Logger
}

export function watchPrimary({ link, timeoutMs, isInspected, logger }: PrimaryWatchOptions): void {
  const primary = process.ppid
  watchForHangs({
    timeoutMs,
    names: () => ['primary'],
    probe: (_name, options) => probe(link, options.timeoutMs),
    onSilence: (_name, count, error) => logger.warn({ err: error, count }, 'the primary does not answer'),
    onHung: () => {
      if (isInspected()) {
        logger.warn({ primary }, 'the primary does not answer and is not killed: its inspector is open')
        return
      }
      logger.fatal({ primary, timeoutMs }, 'killed the primary: it hangs')
      // Another parent: the primary is gone already.
      if (process.ppid === primary) process.kill(primary, 'SIGKILL')
    },
  })
}

async function probe(link: PrimaryWatchOptions['link'], timeoutMs: number): Promise<void> {
  const before = link.bytesRead
  const deadline = performance.now() + timeoutMs
  try {
    await link.request('host.alive', null, { timeoutMs })
  } catch (error) {
    // The request may fail at once, when too many wait for the primary. The primary still gets the whole
    // time.
    await delay(Math.max(0, deadline - performance.now()), undefined, { ref: false })
    for (let turn = 0; turn < 2; turn += 1) await setImmediate()
    if (link.bytesRead === before) throw error
  }
}
