/**
 * Ends sessions over long polling so that every client takes the end for a lost connection and reconnects, as
 * it does when its WebSocket closes. Engine.IO would answer the open poll with a CLOSE packet, which clients in
 * Python take for the server's wish that they stay away. Here the poll gets what a later poll gets as well:
 * 400, "Session ID unknown".
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'socket.io'
import { withTimeout } from '../../core/with-timeout.ts'
import { sessionIdOf } from './session-id-of.ts'

type Connection = Socket['conn']
type Transport = Connection['transport']

const POLLING = 'polling'
const UNKNOWN_SESSION = '{"code":1,"message":"Session ID unknown"}'

/** How long a session that closes in order waits for the client's next poll; the same as Engine.IO's. */
const NEXT_POLL_MS = 30_000

/** From now on, for every session that opens over polling. */
export function endPollsAsLost(io: Server): void {
  io.engine.on('connection', (connection: Connection) => {
    const { transport } = connection
    if (transport.name !== POLLING) return
    const close = transport.close.bind(transport)
    transport.close = (done) => {
      // WebSocket has taken over, and the client polls no longer.
      if (connection.upgraded) return close(done)
      const finish = () => {
        transport.off('ready', finish)
        clearTimeout(timer)
        endPoll(transport)
        // Otherwise it waits for the next poll, to answer that with a CLOSE packet.
        transport.discard()
        close(done)
      }
      const timer = setTimeout(finish, NEXT_POLL_MS).unref()
      // Meanwhile Engine.IO still takes what the client posts: some clients give up if that is refused.
      if (closesInOrder(connection) && openPoll(transport) === undefined) transport.once('ready', finish)
      else finish()
    }
  })
}

/**
 * Waits until the client polls, so that it has what was sent to it and can still post, and ends the session at
 * that poll. Resolves when it is closed; a client that does not poll within `timeoutMs` gets nothing more.
 */
export async function closePolling(connection: Connection, timeoutMs: number): Promise<void> {
  if ((await nextPoll(connection, timeoutMs)) === 'none') return connection.close(true)
  connection.close()
  if (connection.readyState === 'closed' || !isPolling(connection)) return
  // Something was sent meanwhile: it goes with the next poll.
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()))
  await withTimeout(timeoutMs, closed, () => connection.close(true))
}

/**
 * `open`: the client waits for packets, or polls no longer; `taken`: each poll was answered with packets at
 * once.
 */
async function nextPoll(connection: Connection, timeoutMs: number): Promise<'open' | 'taken' | 'none'> {
  const { transport } = connection
  let latest: 'taken' | 'none' = 'none'
  if (connection.readyState !== 'open' || openPoll(transport) !== undefined) return 'open'
  const stop = new AbortController()
  const opened = new Promise<'open'>((resolve) => {
    const polled = () => {
      latest = 'taken'
      if (openPoll(transport) !== undefined) resolve('open')
    }
    const ended = () => resolve('open')
    transport.on('ready', polled)
    connection.once('upgrade', ended).once('close', ended)
    stop.signal.addEventListener('abort', () => {
      transport.off('ready', polled)
      connection.off('upgrade', ended).off('close', ended)
    })
  })
  const poll = await withTimeout<'open' | 'taken' | 'none'>(timeoutMs, opened, () => latest)
  stop.abort()
  return poll
}

export const isPolling = ({ transport }: Connection): boolean => transport.name === POLLING

/**
 * For a worker that drains. What a client posted before it heard of the end of its session is passed over, as
 * Engine.IO passes it over while a session closes.
 */
export function acceptLatePosts(io: Server): (connection: Connection) => void {
  const ended = new Set<string>()
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (request.method !== 'POST' || !ended.has(sessionIdOf(request))) return next()
    request.once('end', () => response.writeHead(200, { 'Content-Type': 'text/html' }).end('ok')).resume()
  })
  return (connection) => {
    if (!isPolling(connection)) return
    connection.once('close', () => ended.add(String(Reflect.get(connection, 'id'))))
  }
}

/** By `close()`; not by `close(true)`, and not after an error. */
function closesInOrder({ readyState, transport }: Connection): boolean {
  return readyState === 'closing' && Reflect.get(transport, 'discarded') !== true
}

function endPoll(transport: Transport): void {
  const poll = openPoll(transport)
  if (poll === undefined) return
  transport.writable = false
  poll.writeHead(400, { 'Content-Type': 'application/json' }).end(UNKNOWN_SESSION)
}

/** The response that waits for packets. */
function openPoll(transport: Transport): ServerResponse | undefined {
  const response: unknown = Reflect.get(transport, 'res')
  if (!transport.writable || !(response instanceof ServerResponse)) return undefined
  return response.destroyed || response.writableEnded ? undefined : response
}
