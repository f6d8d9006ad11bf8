/**
 * One of several machines: @socket.io/sticky in the primary, and the classic adapter in each worker, as the README of
 * @socket.io/redis-adapter describes it for ioredis. Two Redis connections per worker.
 */
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { startStickyCluster } from './sticky-start.js'

await startStickyCluster({
  createServer: (httpServer) => {
    const pubClient = new Redis(process.env.REDIS_URL)
    const subClient = pubClient.duplicate()
    return new Server(httpServer, {
      adapter: createAdapter(pubClient, subClient),
    })
  },
})
