/** Metrics of the relay. */

import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'

export interface RelayState {
  queuedBytes(): Iterable<[worker: string, bytes: number]>
  /** Publications, log entries and events passed to each worker. */
  passed(): Iterable<[worker: string, count: number]>
  /** Rooms with missed updates that each worker has not been told about yet. */
  missedRooms(): Iterable<[worker: string, rooms: number]>
  topics(): number
}

export type RelayMetrics = ReturnType<typeof relayMetrics>

export function relayMetrics(registry: Registry, state: RelayState) {
  const registers = [registry]
  registry.registerMetric(outboxGauge(state))
  registry.registerMetric(missedGauge(state))
  registry.registerMetric(passedCounter(state))
  registerGauge(registry, {
    name: 'rookery_relay_topics',
    help: 'Topics that any worker is subscribed to',
    read: () => state.topics(),
  })
  return {
    published: new Counter({
      name: 'rookery_relay_published_total',
      help: 'Publications received from workers',
      registers,
    }),
    dropped: new Counter({
      name: 'rookery_relay_dropped_total',
      help: 'Frames dropped because a worker could not keep up',
      labelNames: ['urgency'],
      registers,
    }),
    refused: new Counter({
      name: 'rookery_relay_refused_total',
      help: 'Connections to the link that were refused',
      labelNames: ['reason'],
      registers,
    }),
    ended: new Counter({
      name: 'rookery_relay_links_ended_total',
      help: 'Links of workers that have ended',
      labelNames: ['reason'],
      registers,
    }),
    unroutable: new Counter({
      name: 'rookery_relay_unroutable_total',
      help: 'Messages to a worker that no longer exists',
      registers,
    }),
  }
}

/** Read from the links, because it is the busiest counter. */
function passedCounter(state: RelayState): Counter {
  return new Counter({
    name: 'rookery_relay_passed_total',
    help: 'Publications, log entries and events passed to a worker, once for each worker',
    labelNames: ['worker'],
    registers: [],
    collect() {
      this.reset()
      for (const [worker, count] of state.passed()) this.inc({ worker }, count)
    },
  })
}

function outboxGauge(state: RelayState): Gauge {
  return new Gauge({
    name: 'rookery_relay_outbox_bytes',
    help: 'Bytes waiting to be sent to a worker',
    labelNames: ['worker'],
    registers: [],
    collect() {
      this.reset()
      for (const [worker, bytes] of state.queuedBytes()) this.set({ worker }, bytes)
    },
  })
}

function missedGauge(state: RelayState): Gauge {
  return new Gauge({
    name: 'rookery_relay_missed_rooms',
    help: 'Rooms with missed updates that a slow worker has not been notified of',
    labelNames: ['worker'],
    registers: [],
    collect() {
      this.reset()
      for (const [worker, rooms] of state.missedRooms()) this.set({ worker }, rooms)
    },
  })
}
