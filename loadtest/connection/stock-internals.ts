/** Reads internals of the stock client. */
import { z } from 'zod'
import type { ClientSockets } from './transport/client-sockets.ts'
import type { Source } from './transport/read-limiter.ts'

/**
 * A transport error has the status, or its WebSocket's event, beside its message; a server's refusal has
 * data.
 */
const ConnectError = z.object({
  message: z.string(),
  data: z.object({ code: z.string() }).optional().catch(undefined),
  description: z
    .union([z.int(), z.object({ error: z.object({ code: z.string().optional(), message: z.string() }) })])
    .optional()
    .catch(undefined),
})

export function connectErrorWord(error: Error): string {
  const { message, data, description } = ConnectError.parse(error)
  if (data !== undefined) return data.code
  if (description === undefined) return message
  if (typeof description === 'number') return description === 0 ? message : `${message}: ${description}`
  const { code, message: cause } = description.error
  return `${message}: ${code ?? /\b\d{3}$/.exec(cause)?.[0] ?? cause}`
}

/**
 * What to pause so that nothing is read: the WebSocket, which would resume its TCP connection, or the TCP
 * connections of polling.
 */
export function sourceOf(engine: { transport: object }, sockets: ClientSockets): Source {
  const webSocket: unknown = Reflect.get(engine.transport, 'ws')
  return isSource(webSocket) ? webSocket : sockets
}

function isSource(value: unknown): value is Source {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pause' in value &&
    typeof value.pause === 'function' &&
    'resume' in value &&
    typeof value.resume === 'function'
  )
}
