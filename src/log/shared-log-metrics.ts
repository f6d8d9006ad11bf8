/** Metrics of every implementation of the room log. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface SharedLogMetrics {
  appends: Counter<'outcome'>
  trimmed: Counter
  healthy: Gauge
  listenerErrors: Counter
}

export function sharedLogMetrics(registry: Registry): SharedLogMetrics {
  const registers = [registry]
  return {
    appends: new Counter({
      name: 'rookery_log_appends_total',
      help: 'Appends by outcome: stored, duplicate, or the code of the error',
      labelNames: ['outcome'],
      registers,
    }),
    trimmed: new Counter({
      name: 'rookery_log_trimmed_entries_total',
      help: 'Entries trimmed by retention',
      registers,
    }),
    healthy: new Gauge({ name: 'rookery_log_healthy', help: '1 while the log can be written', registers }),
    listenerErrors: new Counter({
      name: 'rookery_log_listener_errors_total',
      help: 'Errors thrown by listeners of the log',
      registers,
    }),
  }
}
