/**
 * Packets of clients that are longer than `MAX_PACKET_BYTES`. Engine.IO closes a WebSocket then, with an error
 * that the application sees. Over long polling it only answers 413: the application sees an ordinary end when
 * the client gives up, or none. Here the connection ends as a WebSocket does. Both are counted and logged.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { Server, Socket } from 'socket.io'
import { LogThrottle } from '../../core/log-throttle.ts'
import { sessionIdOf } from './session-id-of.ts'

type Connection = Socket['conn']

const LOG_MS = 5_000
const TOO_LARGE = 413
/** The error of `ws` is in the message of Engine.IO's, and so is the one given here. */
const WORDING = 'Max payload size exceeded'

export function watchOversizedPackets(
  httpServer: HttpServer,
  io: Server,
  { maxBytes, logger, registry }: { maxBytes: number; logger: Logger; registry: Registry },
): void {
  const throttle = new LogThrottle(LOG_MS)
  const refused = new Counter({
    name: 'rookery_oversized_packets_total',
    help: 'Packets of clients that were refused because they are longer than MAX_PACKET_BYTES',
    registers: [registry],
  })
  const closed = (_reason: string, error: unknown) => {
    if (!(error instanceof Error && error.message.includes(WORDING))) return
    refused.inc()
    throttle.run((heldBack) =>
      logger.warn(
        { maxBytes, heldBack },
        'a packet of a client is longer than MAX_PACKET_BYTES: its connection is closed',
      ),
    )
  }
  io.engine.on('connection', (connection: Connection) => connection.once('close', closed))
  httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST') return
    response.once('finish', () => {
      const connection = response.statusCode === TOO_LARGE ? connectionOf(io, request) : undefined
      connection?.transport.emit('error', new Error(WORDING))
    })
  })
}

function connectionOf(io: Server, request: IncomingMessage): Connection | undefined {
  const session = sessionIdOf(request)
  const clients: unknown = Reflect.get(io.engine, 'clients')
  if (typeof clients !== 'object' || clients === null || !Object.hasOwn(clients, session)) return undefined
  return Reflect.get(clients, session) as Connection
}
