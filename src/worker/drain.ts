/**
 * Drains a worker: notifies each connection when it will close, waits for its open acks and closes it, one
 * connection after the other over the drain time. So the clients of a worker do not all reconnect at the same
 * moment. Closing the connection, rather than disconnecting the socket, makes stock clients reconnect by
 * themselves. HTTP requests that are still open after the drain time are ended.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Server, Socket } from 'socket.io'
import { withTimeout } from '../core/with-timeout.ts'
import type { DrainHooks } from '../wire/app.ts'
import { acceptLatePosts, closePolling, connectionsOf, isPolling } from './connections/index.ts'

/**
 * With few clients a drain is shorter than the drain time: other workers can take 40 connections a second.
 */
const LONGEST_STEP_MS = 25

/**
 * How long after the drain time a worker waits for open acks. Then it closes the connections without them.
 * The settings give a worker one more second before it is killed.
 */
const SETTLE_MS = 4_000

/** A client over long polling that is there asks again within a round trip. */
const NEXT_POLL_MS = 1_000

export interface DrainOptions {
  io: Server
  /** The HTTP requests that are open beside the connections. */
  requests: { finish(timeoutMs: number): Promise<void> }
  hooks: readonly DrainHooks[]
  spreadMs: number
  logger: Logger
}

export async function drainConnections(options: DrainOptions): Promise<void> {
  const connections = connectionsOf(options.io)
  const stepMs = Math.min(LONGEST_STEP_MS, options.spreadMs / Math.max(1, connections.length))
  // `index + 1`: the first connection gets its notice in time too.
  const dueMs = (index: number) => (index + 1) * stepMs
  const socketsOf = groupByConnection(options.io)
  for (const [index, connection] of connections.entries()) {
    for (const socket of socketsOf.get(connection) ?? []) notify(options, socket, Math.round(dueMs(index)))
  }
  const startedAt = performance.now()
  const leftMs = (afterMs = SETTLE_MS) =>
    Math.max(0, startedAt + options.spreadMs + afterMs - performance.now())
  const isEnding = acceptLatePosts(options.io)
  const close = (connection: Socket['conn'], sockets: Socket[] = []) => {
    isEnding(connection)
    return settleAndClose(options, connection, { sockets, leftMs })
  }
  const closings: Promise<void>[] = []
  for (const [index, connection] of connections.entries()) {
    const waitMs = dueMs(index) - (performance.now() - startedAt)
    if (waitMs > 1) await delay(waitMs)
    closings.push(close(connection, socketsOf.get(connection)))
  }
  await Promise.all(closings)
  // Connections that arrived meanwhile (hand-overs that were under way) have no state worth a delay.
  const late = groupByConnection(options.io)
  await Promise.all(connectionsOf(options.io).map((one) => close(one, late.get(one))))
  await options.requests.finish(leftMs(0))
}

function groupByConnection(io: Server): Map<Socket['conn'], Socket[]> {
  const groups = new Map<Socket['conn'], Socket[]>()
  for (const namespace of io._nsps.values()) {
    for (const socket of namespace.sockets.values()) {
      groups.set(socket.conn, [...(groups.get(socket.conn) ?? []), socket])
    }
  }
  return groups
}

function notify({ hooks, logger }: DrainOptions, socket: Socket, reconnectInMs: number): void {
  for (const hook of hooks) {
    try {
      hook.notice?.(socket, reconnectInMs)
    } catch (error) {
      logger.error({ err: error }, "the application's drain hook `notice` failed")
    }
  }
}

async function settleAndClose(
  options: DrainOptions,
  connection: Socket['conn'],
  { sockets, leftMs }: { sockets: Socket[]; leftMs: () => number },
): Promise<void> {
  const timeout = new AbortController()
  await Promise.race([
    Promise.all(sockets.map((socket) => settle(options, socket))),
    delay(leftMs(), undefined, { signal: timeout.signal }).catch((error: unknown) => {
      if (!timeout.signal.aborted) throw error
    }),
  ])
  timeout.abort()
  if (isPolling(connection)) await closePolling(connection, Math.min(NEXT_POLL_MS, leftMs()))
  else await closeInOrder(connection, leftMs())
}

/** With what waits for the client. Resolves when the listeners for `disconnect` have been called. */
async function closeInOrder(connection: Socket['conn'], timeoutMs: number): Promise<void> {
  connection.close()
  if (connection.readyState === 'closed') return
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()))
  await withTimeout(timeoutMs, closed, () => connection.close(true))
}

async function settle({ hooks, logger }: DrainOptions, socket: Socket): Promise<void> {
  for (const hook of hooks) {
    try {
      await hook.settle?.(socket)
    } catch (error) {
      logger.error({ err: error }, "the application's drain hook `settle` failed")
    }
  }
}
