/**
 * One machine of several: @socket.io/sticky in the primary as its README writes it, and in each worker
 * the adapter of @socket.io/redis-streams-adapter with connection state recovery, as their documents write it.
 */
import cluster from 'node:cluster'
import http from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { setupMaster, setupWorker } from '@socket.io/sticky'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'

const say = (line) => process.stdout.write(`${line}\n`)

if (cluster.isPrimary) {
  const httpServer = http.createServer()

  setupMaster(httpServer, {
    loadBalancingMethod: 'least-connection',
  })

  cluster.setupPrimary({
    serialization: 'advanced',
  })

  httpServer.listen(process.env.PORT, process.env.HOST, () => say(`Primary ${process.pid} is running`))

  for (let i = 0; i < Number(process.env.WORKERS); i++) {
    cluster.fork()
  }

  cluster.on('exit', (worker) => {
    say(`Worker ${worker.process.pid} died`)
    cluster.fork()
  })
} else {
  const redisClient = new Redis(process.env.REDIS_URL)

  const httpServer = http.createServer()
  const io = new Server(httpServer, {
    adapter: createAdapter(redisClient),
    connectionStateRecovery: {},
  })
  setupWorker(io)

  const { default: app } = await import(process.env.APP)
  app(io)
  say(`Worker ${process.pid} started`)
}
