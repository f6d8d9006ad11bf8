/**
 * One of several machines: @socket.io/sticky in the primary, and the Redis Streams adapter with connection state recovery in each
 * worker, as the documents of @socket.io/redis-streams-adapter describe it.
 */
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { startStickyCluster } from './sticky-start.js'

await startStickyCluster({
  createServer: (httpServer) => {
    const redisClient = new Redis(process.env.REDIS_URL)
    return new Server(httpServer, {
      adapter: createAdapter(redisClient),
      connectionStateRecovery: {},
    })
  },
})
