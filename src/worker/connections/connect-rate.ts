/**
 * Bounds how often one connection may ask to be let into a namespace. Socket.IO makes a socket for each such packet
 * before any middleware has answered: a client could have as many as it has time to send.
 */
import { Counter, type Registry } from 'prom-client'
import type { Namespace, Server, Socket } from 'socket.io'
import { TokenBucket } from '../../core/token-bucket.ts'
import { RookeryError } from '../../wire/errors.ts'

/** Far above what multiplexed namespaces and retries after a refusal need. */
const BURST = 100
const PER_SECOND = 1

/** To be called before the application adds its own middleware. */
export function limitConnects(io: Server, registry: Registry, now: () => number): void {
  const refused = new Counter({
    name: 'rookery_connects_refused_total',
    help: 'Connects to a namespace that were refused because one connection asked for too many',
    registers: [registry],
  })
  const buckets = new WeakMap<Socket['conn'], TokenBucket>()
  const take = (connection: Socket['conn']): number => {
    const bucket =
      buckets.get(connection) ?? new TokenBucket({ perSecond: PER_SECOND, burst: BURST, now: now() })
    buckets.set(connection, bucket)
    return bucket.take(now()) ? 0 : bucket.waitMs(now())
  }
  const guard = (namespace: Namespace) =>
    namespace.use((socket, next) => {
      const retryAfterMs = take(socket.conn)
      if (retryAfterMs === 0) return next()
      refused.inc()
      const error = new RookeryError('rate_limited', 'too many connects on one connection', { retryAfterMs })
      return next(Object.assign(error, { data: error.toBody() }))
    })
  guard(io.of('/'))
  io.on('new_namespace', guard)
}
