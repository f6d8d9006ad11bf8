/** Metrics of the backplane. */
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface BackplaneState {
  hosts(): number
  topics(): number
  bytesInFlight(): number
  isReceiving(): boolean
}

export type BackplaneMetrics = ReturnType<typeof backplaneMetrics>

export function backplaneMetrics(registry: Registry, state: BackplaneState) {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    registerGauge(registry, { name, help, read })
  gauge('rookery_hosts', 'Other hosts in the cluster', () => state.hosts())
  gauge('rookery_backplane_topics', 'Topics that this host is subscribed to at Redis', () => state.topics())
  gauge('rookery_backplane_bytes_in_flight', 'Bytes that Redis has not confirmed yet', () =>
    state.bytesInFlight(),
  )
  gauge('rookery_backplane_hears', '1 if this host receives its own messages through Redis', () =>
    state.isReceiving() ? 1 : 0,
  )
  const count = (name: string, help: string) => new Counter({ name, help, registers })
  return {
    sent: count('rookery_backplane_sent_total', 'Messages published to other hosts'),
    received: count('rookery_backplane_received_total', 'Messages received from other hosts'),
    dropped: count('rookery_backplane_dropped_total', 'Messages to other hosts that may not have been sent'),
    gaps: count('rookery_backplane_gaps_total', 'Times that messages from a host may have been missed'),
    gone: count('rookery_hosts_gone_total', 'Hosts that left or timed out'),
    refused: new Counter({
      name: 'rookery_backplane_refused_total',
      help: 'Messages from Redis that were refused',
      labelNames: ['reason'],
      registers,
    }),
  }
}
