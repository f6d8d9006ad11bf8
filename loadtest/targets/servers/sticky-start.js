/**
 * The part that the documented clusters share, as the README of @socket.io/sticky describes it: the primary balances connections over
 * its workers, and each worker runs one Socket.IO server. The port, the number of workers and the application come from the
 * environment. The load test waits for the lines on standard output, so each is written when it has become true.
 */
import cluster from 'node:cluster'
import http from 'node:http'
import { setupMaster, setupWorker } from '@socket.io/sticky'

const say = (line) => process.stdout.write(`${line}\n`)

/**
 * @param {object} setup what the documents of one adapter add
 * @param setup.createServer makes a worker's Socket.IO server with its adapter
 * @param setup.setupPrimary what the adapter needs in the primary, if anything
 */
export async function startStickyCluster({ createServer, setupPrimary = () => {} }) {
  if (cluster.isPrimary) startPrimary(setupPrimary)
  else await startWorker(createServer)
}

function startPrimary(setupPrimary) {
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
}

async function startWorker(createServer) {
  const io = createServer(http.createServer())
  setupWorker(io)

  const { default: app } = await import(process.env.APP)
  app(io)
  say(`Worker ${process.pid} started`)
}
