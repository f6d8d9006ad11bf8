/** Metrics of the backplane. */
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface BackplaneState {
  hosts(): number
  topics(): number
  bytesInFlight(): number
  hears(): boolean
}

export type BackplaneMetrics = ReturnType<typeof backplaneMetrics>

export function backplaneMetrics(registry: Registry, state: BackplaneState) {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    registerGauge(registry, { name, help, read })
  gauge('rookery_hosts', 'Other hosts of the cluster that are there', () => state.hosts())
  gauge('rookery_backplane_topics', 'Topics that this host is subscribed to at Redis', () => state.topics())
  gauge('rookery_backplane_bytes_in_flight', 'Bytes on their way to Redis', () => state.bytesInFlight())
  gauge('rookery_backplane_hears', 'Whether this host hears its own messages through Redis', () =>
    state.hears() ? 1 : 0,
  )
  const count = (name: string, help: string) => new Counter({ name, help, registers })
  return {
    sent: count('rookery_backplane_sent_total', 'Messages published to other hosts'),
    received: count('rookery_backplane_received_total', 'Messages of other hosts'),
    dropped: count('rookery_backplane_dropped_total', 'Messages to other hosts that may not have left'),
    gaps: count('rookery_backplane_gaps_total', 'Times that messages of a host may have been missed'),
    gone: count('rookery_hosts_gone_total', 'Hosts that have gone, by their own word or without'),
    refused: new Counter({
      name: 'rookery_backplane_refused_total',
      help: 'What came in from Redis and was not taken',
      labelNames: ['reason'],
      registers,
    }),
  }
}
