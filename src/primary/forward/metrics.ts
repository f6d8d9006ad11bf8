/** Metrics of forwarding between hosts, for both sides. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface ForwardGauges {
  opening(): number
  joined(): number
  pendingPreambles(): number
}

export type ForwardMetrics = ReturnType<typeof forwardMetrics>

export function forwardMetrics(registry: Registry, read: ForwardGauges) {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number) => {
    const made: Gauge = new Gauge({
      name: `rookery_forward_${name}`,
      help,
      registers,
      collect: () => made.set(value()),
    })
  }
  gauge('opening', 'Connections being opened to their owner', () => read.opening())
  gauge('joined', 'Connections that are forwarded to another host now', () => read.joined())
  gauge('pending_preambles', 'Connections from other hosts that are not authenticated yet', () =>
    read.pendingPreambles(),
  )
  const counter = <T extends string = never>(name: string, help: string, labelNames: T[] = []) =>
    new Counter<T>({ name: `rookery_forward_${name}`, help, labelNames, registers })
  return {
    sent: counter('sent_total', 'Connections forwarded to the host that owns their session'),
    failed: counter('failed_total', 'Connections that could not be forwarded and were served here', [
      'reason',
    ]),
    bytes: counter('bytes_total', 'Bytes forwarded, by where they came from', ['from']),
    socketErrors: counter('socket_errors_total', 'Errors of connections between hosts', ['side']),
    idle: counter('idle_total', 'Connections closed because nothing passed through them for too long'),
    received: counter('received_total', 'Connections accepted from other hosts'),
    refused: counter('refused_total', 'Connections to the listener for other hosts that were refused', [
      'reason',
    ]),
  }
}
