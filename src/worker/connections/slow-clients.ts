/**
 * The last bound on a connection that does not read: past it the connection is closed, whatever application runs here.
 * Looks at all connections on a timer; the softer bounds are the application's.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { Server, Socket } from 'socket.io'
import { unsentBytes } from './unsent-bytes.ts'

const CHECK_EVERY_MS = 1_000

/** @returns a function that ends the watch */
export function watchSlowClients(
  io: Server,
  options: { maxBytes: number; logger: Logger; registry: Registry },
): () => void {
  const closed = new Counter({
    name: 'rookery_slow_connections_closed_total',
    help: 'Connections closed because too much was waiting for them',
    registers: [options.registry],
  })
  const timer = setInterval(() => {
    for (const connection of connectionsOf(io)) {
      const bytes = unsentBytes(connection)
      if (bytes <= options.maxBytes) continue
      closed.inc()
      options.logger.warn({ unsentBytes: bytes }, 'connection does not read: closed')
      abandon(connection)
    }
  }, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** The Engine.IO connections of this worker. */
export function connectionsOf(io: Server): Socket['conn'][] {
  const clients: unknown = Reflect.get(io.engine, 'clients')
  return typeof clients === 'object' && clients !== null ? Object.values(clients) : []
}

/** Closes without the farewell that a client which does not read would never answer; what waits for it is let go at once. */
function abandon(connection: Socket['conn']): void {
  const webSocket: unknown = Reflect.get(connection.transport, 'socket')
  connection.close(true)
  if (typeof webSocket !== 'object' || webSocket === null) return
  const terminate: unknown = Reflect.get(webSocket, 'terminate')
  if (typeof terminate === 'function') terminate.call(webSocket)
}
