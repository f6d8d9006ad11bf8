/** Socket.IO in one process, as the first example of its documents. */
import http from 'node:http'
import { Server } from 'socket.io'

const httpServer = http.createServer()
const io = new Server(httpServer)

const { default: app } = await import(process.env.APP)
app(io)
httpServer.listen(process.env.PORT, process.env.HOST, () => {
  process.stdout.write(`Primary ${process.pid} is running\n`)
})
