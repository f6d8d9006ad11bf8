/** What the embedded log counts. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface LogMetrics {
  appends: Counter<'outcome'>
  batchJobs: Histogram
  commitSeconds: Histogram
  queued: Gauge
  trimmed: Counter
  healthy: Gauge
  listenerErrors: Counter
  readersReaped: Counter
}

export function logMetrics(registry: Registry): LogMetrics {
  const registers = [registry]
  return {
    appends: new Counter({
      name: 'rookery_log_appends_total',
      help: 'Appends by outcome: stored, duplicate, or the code of the error',
      labelNames: ['outcome'],
      registers,
    }),
    batchJobs: new Histogram({
      name: 'rookery_log_batch_jobs',
      help: 'Appends and other changes in one commit',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'rookery_log_commit_seconds',
      help: 'From the start of a batch to its being on disk',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    queued: new Gauge({
      name: 'rookery_log_queued_jobs',
      help: 'Changes that wait for the next commit',
      registers,
    }),
    trimmed: new Counter({
      name: 'rookery_log_trimmed_entries_total',
      help: 'Entries that retention has let go of',
      registers,
    }),
    healthy: new Gauge({ name: 'rookery_log_healthy', help: '1 while the log can be written', registers }),
    listenerErrors: new Counter({
      name: 'rookery_log_listener_errors_total',
      help: 'Errors thrown by those that listen to the log',
      registers,
    }),
    readersReaped: new Counter({
      name: 'rookery_log_readers_reaped_total',
      help: 'Reader slots of dead processes that were freed',
      registers,
    }),
  }
}
