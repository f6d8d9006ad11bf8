/**
 * The last limit for a connection that does not read: it is closed, whatever application runs. Checks all
 * connections on a timer. Softer limits are the application's.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { Server, Socket } from 'socket.io'
import { StallJudge, type StallLimits, type Verdict } from './stalled.ts'
import { readingProgress, unsentBytes } from './unsent-bytes.ts'

const CHECK_EVERY_MS = 1_000

const WORDS: Readonly<Record<Exclude<Verdict, 'fine'>, string>> = {
  stalled: 'closed a connection that does not read',
  full: 'closed a connection for which too much waits',
}

/** @returns a function that stops the checks */
export function watchSlowClients(
  io: Server,
  options: StallLimits & { logger: Logger; registry: Registry },
): () => void {
  const closed = new Counter({
    name: 'rookery_slow_connections_closed_total',
    help: 'Connections closed because too many unsent bytes waited for them',
    labelNames: ['reason'],
    registers: [options.registry],
  })
  const judge = new StallJudge<Socket['conn']>(options)
  const timer = setInterval(() => {
    for (const connection of connectionsOf(io)) {
      const backlog = { unsentBytes: unsentBytes(connection), progress: readingProgress(connection) }
      const verdict = judge.judge(connection, backlog, performance.now())
      if (verdict === 'fine') continue
      closed.inc({ reason: verdict })
      options.logger.warn({ unsentBytes: backlog.unsentBytes }, WORDS[verdict])
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
