/** The metrics text of the whole host: the primary's own and those of the workers that answer in time. */
import { Counter, type Registry } from 'prom-client'
import { collectAnswers } from './collect.ts'
import type { Logger } from './logger.ts'
import { mergeMetrics } from './metrics.ts'

/** Well below Prometheus' own scrape timeout of 10 s. */
const ANSWER_DEADLINE_MS = 2000

export interface HostMetricsOptions {
  /** The primary's own. */
  readonly registry: Registry
  readonly logger: Logger
  /** By worker, how to ask it for its metrics (prom-client's JSON). */
  readonly workers: () => ReadonlyMap<string, () => Promise<readonly unknown[]>>
  readonly deadlineMs?: number
}

export function hostMetrics(options: HostMetricsOptions): () => Promise<string> {
  const { registry, logger, workers, deadlineMs = ANSWER_DEADLINE_MS } = options
  const unanswered = new Counter({
    name: 'rookery_metrics_missing_total',
    help: 'Times that a worker was left out of the metrics because it did not answer in time or not well',
    registers: [registry],
  })
  return async () => {
    const { answered, missing } = await collectAnswers(workers(), deadlineMs)
    const parts = [...answered].map(([process, metrics]) => ({ process, metrics }))
    const own = { process: 'primary', metrics: await registry.getMetricsAsJSON() }
    const { text, malformed } = await mergeMetrics([own, ...parts])
    const left = [...missing, ...malformed]
    if (left.length > 0) {
      unanswered.inc(left.length)
      logger.warn({ workers: left }, 'workers are left out of the metrics')
    }
    return text
  }
}
