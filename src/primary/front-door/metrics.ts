/** Metrics of the front door. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface FrontGauges {
  pendingHeads(): number
  waiting(): number
  loads(): Record<string, number>
}

export type FrontMetrics = ReturnType<typeof frontMetrics>

export function frontMetrics(registry: Registry, read: FrontGauges) {
  const registers = [registry]
  observeGauges(registers, read)
  const counter = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Counter<T>({ name: `rookery_front_${name}`, help, labelNames, registers })
  return {
    accepted: counter('connections_total', 'Connections accepted'),
    proxied: counter('proxied_total', 'Connections whose client the PROXY protocol has told'),
    socketErrors: counter('socket_errors_total', 'Errors of connections that the primary still held'),
    refusedHeads: counter('refused_heads_total', 'Request heads refused', ['reason']),
    unavailable: counter('unavailable_total', 'Connections answered with 503', ['reason']),
    handedOver: counter('handed_over_total', 'Connections handed over to a worker', ['kind']),
    handedBack: counter(
      'handed_back_total',
      'Kept connections that a worker handed back, because their next request was not its own',
    ),
    returned: counter('returned_total', 'Connections given to another worker because theirs was gone'),
    lost: counter('lost_total', 'Connections closed because their worker never confirmed them'),
    swallowed: counter('swallowed_bytes_total', 'Bytes read by the primary after the hand-over: must stay 0'),
    waits: new Histogram({
      name: 'rookery_front_wait_seconds',
      help: 'Time from a complete request head until a worker has the connection',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
  }
}

function observeGauges(registers: Registry[], read: FrontGauges): void {
  const pendingHeads: Gauge = new Gauge({
    name: 'rookery_front_pending_heads',
    help: 'Connections with an incomplete request head',
    registers,
    collect: () => pendingHeads.set(read.pendingHeads()),
  })
  const waiting: Gauge = new Gauge({
    name: 'rookery_front_waiting',
    help: 'Connections that wait for a worker',
    registers,
    collect: () => waiting.set(read.waiting()),
  })
  const sessions: Gauge<'worker'> = new Gauge({
    name: 'rookery_front_worker_sessions',
    help: 'Sessions and reservations by worker',
    labelNames: ['worker'],
    registers,
    collect: () => {
      sessions.reset()
      for (const [worker, count] of Object.entries(read.loads())) sessions.set({ worker }, count)
    },
  })
}
