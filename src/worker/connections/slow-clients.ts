/**
 * The last limit for a connection that does not read: past it the connection is closed, whatever application
 * runs. Checks all connections on a timer. Softer limits are the application's.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { Server, Socket } from 'socket.io'
import { unsentBytes } from './unsent-bytes.ts'

const CHECK_EVERY_MS = 1_000

/** @returns a function that stops the checks */
export function watchSlowClients(
  io: Server,
  options: { maxBytes: number; logger: Logger; registry: Registry },
): () => void {
  const closed = new Counter({
    name: 'rookery_slow_connections_closed_total',
    help: 'Connections closed because too many unsent bytes waited for them',
    registers: [options.registry],
  })
  const timer = setInterval(() => {
    for (const connection of connectionsOf(io)) {
      const bytes = unsentBytes(connection)
      if (bytes <= options.maxBytes) continue
      closed.inc()
      options.logger.warn({ unsentBytes: bytes }, 'closed a connection that does not read')
      terminate(connection)
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

/**
 * Closes without a closing handshake, which a client that does not read never answers. Frees the unsent bytes
 * at once.
 */
function terminate(connection: Socket['conn']): void {
  const webSocket: unknown = Reflect.get(connection.transport, 'socket')
  connection.close(true)
  if (typeof webSocket !== 'object' || webSocket === null) return
  const method: unknown = Reflect.get(webSocket, 'terminate')
  if (typeof method === 'function') method.call(webSocket)
}
