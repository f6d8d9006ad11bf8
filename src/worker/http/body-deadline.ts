/**
 * Cuts off requests whose body takes too long. Node does this only for servers that listen; a worker's never
 * does.
 */
import type { IncomingMessage, Server } from 'node:http'
import { Counter, type Registry } from 'prom-client'

export interface BodyDeadlineOptions {
  /** From the end of the request's head to the end of its body. */
  timeoutMs: number
  registry: Registry
}

export function limitBodyTime(server: Server, { timeoutMs, registry }: BodyDeadlineOptions): void {
  const cut = new Counter({
    name: 'rookery_slow_bodies_total',
    help: 'Requests cut off because their body did not arrive in time',
    registers: [registry],
  })
  server.prependListener('request', (request: IncomingMessage) => {
    if (!hasBody(request)) return
    const timer = setTimeout(() => {
      cut.inc()
      request.socket.destroy()
    }, timeoutMs)
    timer.unref()
    for (const event of ['end', 'close'] as const) request.once(event, () => clearTimeout(timer))
  })
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
