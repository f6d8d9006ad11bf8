/** One machine, as the READMEs of @socket.io/sticky and @socket.io/cluster-adapter describe it. */
import { createAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import { Server } from 'socket.io'
import { startStickyCluster } from './sticky-start.js'

await startStickyCluster({
  setupPrimary,
  createServer: (httpServer) => {
    const io = new Server(httpServer)
    io.adapter(createAdapter())
    return io
  },
})
