/** Plain WebSockets in one process, as the README of ws begins. */
import { WebSocketServer } from 'ws'

const { default: app } = await import(process.env.APP)
const server = new WebSocketServer({ port: process.env.PORT, host: process.env.HOST, backlog: 511 }, () => {
  process.stdout.write(`Primary ${process.pid} is running\n`)
})
app(server)
