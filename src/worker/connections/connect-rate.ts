/**
 * Limits how often one connection may ask to join a namespace. Socket.IO creates a socket for each such
 * packet before any middleware has run, so without a limit a client could create sockets as fast as it can
 * send.
 */
import { Counter, type Registry } from 'prom-client'
import type { Namespace, Server, Socket } from 'socket.io'
import { TokenBucket } from '../../core/token-bucket.ts'
import { RookeryError } from '../../wire/errors.ts'

/** Far more than multiplexed namespaces and retries after a refusal need. */
const BURST = 100
const PER_SECOND = 1

/** Call before the application adds its own middleware. */
export function limitConnects(io: Server, registry: Registry, now: () => number): void {
  const refused = new Counter({
    name: 'rookery_connects_refused_total',
    help: 'Connects to a namespace refused because their connection requested too many',
    registers: [registry],
  })
  const buckets = new WeakMap<Socket['conn'], TokenBucket>()
  const takeToken = (connection: Socket['conn']): number => {
    const bucket =
      buckets.get(connection) ?? new TokenBucket({ perSecond: PER_SECOND, burst: BURST, now: now() })
    buckets.set(connection, bucket)
    return bucket.take(now()) ? 0 : bucket.waitMs(now())
  }
  const limit = (namespace: Namespace) =>
    namespace.use((socket, next) => {
      const retryAfterMs = takeToken(socket.conn)
      if (retryAfterMs === 0) return next()
      refused.inc()
      const error = new RookeryError('rate_limited', 'too many connects on one connection', { retryAfterMs })
      return next(Object.assign(error, { data: error.toBody() }))
    })
  limit(io.of('/'))
  io.on('new_namespace', limit)
}
