/** Metrics of the embedded log. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type SharedLogMetrics, sharedLogMetrics } from './shared-log-metrics.ts'

export interface LogMetrics extends SharedLogMetrics {
  batchJobs: Histogram
  commitSeconds: Histogram
  queued: Gauge
  readersReaped: Counter
  staleTransactions: Counter
}

export function logMetrics(registry: Registry): LogMetrics {
  const registers = [registry]
  return {
    ...sharedLogMetrics(registry),
    batchJobs: new Histogram({
      name: 'rookery_log_batch_jobs',
      help: 'Appends and other changes in one commit',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'rookery_log_commit_seconds',
      help: 'Time from the start of a batch until it is on disk',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    queued: new Gauge({
      name: 'rookery_log_queued_jobs',
      help: 'Changes that wait for the next commit',
      registers,
    }),
    readersReaped: new Counter({
      name: 'rookery_log_readers_reaped_total',
      help: 'Reader slots of dead processes that were freed',
      registers,
    }),
    staleTransactions: new Counter({
      name: 'rookery_log_turned_back_total',
      help: 'Transactions retried because another process had opened the log during a commit',
      registers,
    }),
  }
}
