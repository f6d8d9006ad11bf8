/** Says in the log, and counts, when a clock jumps. */
import type { Logger } from 'pino'
import type { ClockEvent } from './clock-filter.ts'
import { LogThrottle } from './log-throttle.ts'

const LOG_MS = 10_000

export interface ClockReportOptions {
  logger: Logger
  /** In the messages, after “the clock of”. */
  owner: string
  /** One more jump. */
  count: () => void
}

export function reportClock({ logger, owner, count }: ClockReportOptions): (event: ClockEvent) => void {
  const throttle = new LogThrottle(LOG_MS)
  const clock = `the clock of ${owner}`
  return (event) => {
    if (event.type === 'returned') {
      logger.warn(`${clock} is back; for 24 hours nothing is removed by its age`)
      return
    }
    const { byMs } = event
    if (event.type === 'jumped' || event.isNew) count()
    const message =
      event.type === 'jumped'
        ? `${clock} has jumped: times go on as before; if it stays changed for 10 minutes it counts as put right, and for 24 hours nothing is removed by its age`
        : `${clock} counts as put right, and is used from now on; for 24 hours nothing is removed by its age`
    throttle.run((heldBack) => logger.warn({ byMs, by: inWords(byMs), heldBack }, message))
  }
}

/** Like `+730.0 days`. */
function inWords(ms: number): string {
  const [unit, name] = UNITS.find(([size]) => Math.abs(ms) >= size) ?? [1_000, 'seconds']
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / unit).toFixed(1)} ${name}`
}

const UNITS: readonly [number, string][] = [
  [86_400_000, 'days'],
  [3_600_000, 'hours'],
  [60_000, 'minutes'],
]
