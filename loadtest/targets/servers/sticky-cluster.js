/**
 * One machine, as the READMEs of @socket.io/sticky and @socket.io/cluster-adapter write it. Only the port, the number of workers and
 * the application come from outside, and what is written on standard output is written when it is true.
 */
import cluster from 'node:cluster'
import http from 'node:http'
import { createAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import { setupMaster, setupWorker } from '@socket.io/sticky'
import { Server } from 'socket.io'

const say = (line) => process.stdout.write(`${line}\n`)

if (cluster.isPrimary) {
  const httpServer = http.createServer()

  setupMaster(httpServer, {
    loadBalancingMethod: 'least-connection',
  })

  setupPrimary()

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
  const httpServer = http.createServer()
  const io = new Server(httpServer)
  io.adapter(createAdapter())
  setupWorker(io)

  const { default: app } = await import(process.env.APP)
  app(io)
  say(`Worker ${process.pid} started`)
}
