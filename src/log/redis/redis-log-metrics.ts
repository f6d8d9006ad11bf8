/** Metrics of the room log on Redis. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { type SharedLogMetrics, sharedLogMetrics } from '../shared-log-metrics.ts'

export interface RedisLogMetrics extends SharedLogMetrics {
  openAppends: Gauge
  watched: Gauge
  repairs: Counter
  refused: Counter<'where' | 'why'>
  unknown: Counter
  resets: Counter
  pendingMarks: Gauge
}

export function redisLogMetrics(registry: Registry): RedisLogMetrics {
  const registers = [registry]
  return {
    ...sharedLogMetrics(registry),
    openAppends: new Gauge({
      name: 'rookery_log_open_appends',
      help: 'Appends that Redis has not answered yet',
      registers,
    }),
    watched: new Gauge({
      name: 'rookery_log_watched_rooms',
      help: 'Rooms that this host is subscribed to',
      registers,
    }),
    repairs: new Counter({
      name: 'rookery_log_repairs_total',
      help: 'Times that entries missing on the channel were read from the store',
      registers,
    }),
    refused: new Counter({
      name: 'rookery_log_refused_entries_total',
      help: 'Invalid entries from Redis, malformed or forged',
      labelNames: ['where', 'why'],
      registers,
    }),
    unknown: new Counter({
      name: 'rookery_log_unknown_entries_total',
      help: 'Entries announced on a channel that the store does not have',
      registers,
    }),
    resets: new Counter({
      name: 'rookery_log_resets_total',
      help: 'Watched rooms whose epoch has changed, because entries were lost',
      registers,
    }),
    pendingMarks: new Gauge({
      name: 'rookery_log_pending_marks',
      help: 'Read markers of authors that could not be moved yet',
      registers,
    }),
  }
}
