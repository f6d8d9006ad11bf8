/** Metrics of the whole host: those of the primary and of the workers that answer in time. */
import { Counter, type Registry } from 'prom-client'
import { collectAnswers } from './collect.ts'
import type { Logger } from './logger.ts'
import { mergeMetrics, parseMetrics } from './metrics.ts'
import { TotalsHistory } from './totals-history.ts'

/** Well below Prometheus' scrape timeout of 10 s. */
const ANSWER_DEADLINE_MS = 2000

export interface HostMetricsOptions {
  /** Of the primary. */
  readonly registry: Registry
  readonly logger: Logger
  /** By worker, a function that fetches its metrics (prom-client's JSON). */
  readonly workers: () => ReadonlyMap<string, () => Promise<readonly unknown[]>>
  readonly deadlineMs?: number
}

export function hostMetrics(options: HostMetricsOptions): () => Promise<string> {
  const { registry, logger, workers, deadlineMs = ANSWER_DEADLINE_MS } = options
  const unanswered = new Counter({
    name: 'rookery_metrics_missing_total',
    help: 'Times that a worker was left out of the metrics because it did not answer in time or sent an unreadable answer',
    registers: [registry],
  })
  const history = new TotalsHistory()
  const scrape = async () => {
    const { answered, missing } = await collectAnswers(workers(), deadlineMs)
    const parsed = [...answered].map(([process, json]) => ({ process, metrics: parseMetrics(json) }))
    const parts = parsed.flatMap(({ process, metrics }) =>
      metrics === undefined ? [] : [{ process, metrics }],
    )
    const left = [...missing, ...parsed.flatMap((part) => (part.metrics === undefined ? [part.process] : []))]
    if (left.length > 0) {
      unanswered.inc(left.length)
      logger.warn({ workers: left }, 'workers are missing in the metrics')
    }
    // Through JSON, like the workers' metrics: it has no NaN, and one such value would make all others
    // unreadable.
    const own = parseMetrics(JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()))) ?? []
    const absent = await history.absent(parts, left)
    return mergeMetrics([{ process: 'primary', metrics: own }, ...parts, ...absent])
  }
  return shareConcurrent(scrape)
}

/**
 * Concurrent calls share one scrape. Overlapping scrapes would count a worker that exits meanwhile twice or
 * not at all, and would cost more.
 */
function shareConcurrent(scrape: () => Promise<string>): () => Promise<string> {
  let current: Promise<string> | undefined
  return () => {
    current ??= scrape().finally(() => {
      current = undefined
    })
    return current
  }
}
