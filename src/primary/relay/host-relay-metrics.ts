/** Metrics of the relay to other hosts. */
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface HostsState {
  receipts(): number
  memberships(): number
  refused(): number
  pending(): number
  grants(): number
}

export type HostsMetrics = ReturnType<typeof hostsMetrics>

export function hostsMetrics(registry: Registry, state: HostsState) {
  const gauge = (name: string, help: string, read: () => number) =>
    registerGauge(registry, { name, help, read })
  const count = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  gauge('rookery_relay_open_receipts', 'Publications whose receipts from other hosts are incomplete', () =>
    state.receipts(),
  )
  gauge('rookery_relay_remote_memberships', 'Workers of other hosts in groups', () => state.memberships())
  gauge(
    'rookery_relay_remote_memberships_refused',
    'Memberships of workers of other hosts that were refused, because there were too many',
    () => state.refused(),
  )
  gauge('rookery_relay_unconfirmed_topics', 'Topics that Redis has not confirmed yet', () => state.pending())
  gauge('rookery_relay_granted_topics', 'Topics that go to all hosts for a while', () => state.grants())
  return {
    unconfirmed: count(
      'rookery_relay_unconfirmed_total',
      'Subscriptions confirmed to a worker before Redis confirmed them',
    ),
    abandoned: count(
      'rookery_relay_remote_abandoned_total',
      'Publications of other hosts that were dropped because not all of their parts arrived',
    ),
    unroutable: count(
      'rookery_relay_remote_unroutable_total',
      'Messages from other hosts to a worker that no longer exists',
    ),
  }
}
