/** Metrics of a worker's adapters, all namespaces together. */

import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface AdapterState {
  namespaces: () => number
  openRequests: () => number
  heldBytes: () => number
}

export type AdapterMetrics = ReturnType<typeof adapterMetrics>

export function adapterMetrics(registry: Registry, state: AdapterState) {
  const count = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  registerGauge(registry, {
    name: 'rookery_adapter_namespaces',
    help: 'Namespaces served by this worker',
    read: state.namespaces,
  })
  registerGauge(registry, {
    name: 'rookery_adapter_open_questions',
    help: 'Requests to other workers that are still open',
    read: state.openRequests,
  })
  registerGauge(registry, {
    name: 'rookery_adapter_held_answer_bytes',
    help: 'Bytes of long responses that other workers have still to fetch',
    read: state.heldBytes,
  })
  return {
    sent: count('rookery_adapter_broadcasts_sent_total', 'Broadcasts handed to the link'),
    received: count(
      'rookery_adapter_broadcasts_received_total',
      'Broadcasts from other workers delivered here',
    ),
    missing: count(
      'rookery_adapter_answers_missing_total',
      'Responses that never arrived because a worker left',
    ),
    failed: count(
      'rookery_adapter_answers_failed_total',
      'Responses that another worker could not give or send',
    ),
    dropped: count(
      'rookery_adapter_answers_dropped_total',
      'Long responses that were dropped because they were not fetched, or not sent, any further',
    ),
    late: count('rookery_adapter_answers_late_total', 'Responses that did not arrive by the deadline'),
    malformed: count('rookery_adapter_malformed_total', 'Messages from other workers that could not be read'),
    strayed: count(
      'rookery_adapter_strayed_total',
      'Messages for a namespace that this worker no longer serves',
    ),
    uncloned: count(
      'rookery_adapter_uncloned_total',
      'Responses from which values without a structured clone were left out',
    ),
  }
}
