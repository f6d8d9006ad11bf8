/**
 * Finds out that the primary hangs, and ends it: a process that stands still does not exit, so no process manager would ever begin
 * the host anew. Its workers leave when it is gone.
 *
 * Only silence counts. Whatever the primary says is an answer, and what it said while this worker stood still itself is read
 * before it is blamed.
 */
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { watchForHangs } from '../core/hang-watch.ts'
import type { Link } from './link/link.ts'

export interface PrimaryWatchOptions {
  link: Pick<Link, 'request' | 'bytesRead'>
  /** 0: never. */
  timeoutMs: number
  logger: Logger
}

export function watchPrimary({ link, timeoutMs, logger }: PrimaryWatchOptions): void {
  const primary = process.ppid
  watchForHangs({
    timeoutMs,
    who: () => ['primary'],
    ask: (_name, options) => ask(link, options.timeoutMs),
    onSilence: (_name, count, error) => logger.warn({ err: error, count }, 'the primary does not answer'),
    onHung: () => {
      logger.fatal({ primary, timeoutMs }, 'the primary hangs: killed')
      // Who has another parent now has lost it already.
      if (process.ppid === primary) process.kill(primary, 'SIGKILL')
    },
  })
}

async function ask(link: PrimaryWatchOptions['link'], timeoutMs: number): Promise<void> {
  const before = link.bytesRead
  const deadline = performance.now() + timeoutMs
  try {
    await link.request('host.alive', null, { timeoutMs })
  } catch (error) {
    // At once when too much waits for the primary already: then it has no less time.
    await delay(Math.max(0, deadline - performance.now()), undefined, { ref: false })
    for (let turn = 0; turn < 2; turn += 1) await setImmediate()
    if (link.bytesRead === before) throw error
  }
}
