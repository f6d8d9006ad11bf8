/**
 * One of several machines: @socket.io/sticky in the primary, and the sharded adapter in each worker, as the README of
 * @socket.io/redis-adapter describes it. Two Redis connections per worker.
 */
import { createShardedAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { startStickyCluster } from './sticky-start.js'

await startStickyCluster({
  createServer: (httpServer) => {
    const pubClient = new Redis(process.env.REDIS_URL)
    const subClient = pubClient.duplicate()
    return new Server(httpServer, {
      adapter: createShardedAdapter(pubClient, subClient),
    })
  },
})
