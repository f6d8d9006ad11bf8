/** What is to be found out of the inside of the stock client. */
import { z } from 'zod'
import type { ClientSockets } from './transport/client-sockets.ts'
import type { Source } from './transport/read-limiter.ts'

/** The transport's error has the status or the event of its WebSocket beside its message; the server's refusal has data. */
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

/** What must rest if nothing is to be read: the WebSocket, which would wake its TCP connection, or the TCP connections of polling. */
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
