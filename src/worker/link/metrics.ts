/** Metrics of the worker's end of the link. */

import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface LinkState {
  queuedBytes(): number
  subscriptions(): number
  openCalls(): number
  incompleteBytes(): number
}

export type LinkMetrics = ReturnType<typeof linkMetrics>

export function linkMetrics(registry: Registry, state: LinkState) {
  registerGauge(registry, {
    name: 'rookery_link_outbox_bytes',
    help: 'Bytes not yet sent to the primary',
    read: () => state.queuedBytes(),
  })
  registerGauge(registry, {
    name: 'rookery_link_topics',
    help: 'Topics that this worker is subscribed to',
    read: () => state.subscriptions(),
  })
  registerGauge(registry, {
    name: 'rookery_link_open_requests',
    help: 'Requests that the primary has not answered yet',
    read: () => state.openCalls(),
  })
  registerGauge(registry, {
    name: 'rookery_link_incomplete_bytes',
    help: 'Bytes kept for messages of other workers that have not arrived whole yet',
    read: () => state.incompleteBytes(),
  })
  const count = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  return {
    published: count('rookery_link_published_total', 'Publications sent'),
    received: count('rookery_link_received_total', 'Messages received from other workers'),
    dropped: count(
      'rookery_link_dropped_total',
      'Publications dropped because the primary could not keep up',
    ),
    tooLarge: count(
      'rookery_link_too_large_total',
      'Publications and requests that were refused because they are too long for the link',
    ),
    incomplete: count(
      'rookery_link_incomplete_total',
      'Messages of other workers that were dropped because not all of their parts arrived, or too many arrived at once',
    ),
    failed: count('rookery_link_listener_failures_total', 'Messages on which a listener threw an error'),
    malformed: count('rookery_link_malformed_total', 'Frames from the primary that could not be read'),
  }
}
