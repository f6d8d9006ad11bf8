/**
 * One worker as @socket.io/redis-adapter documents it for ioredis: a server with two Redis connections of its
 * own.
 */
import { createServer } from 'node:http'
import { createShardedAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import app from './app.js'

const publisher = new Redis(process.env.REDIS_URL)
const subscriber = publisher.duplicate()
const server = createServer()
app(new Server(server, { adapter: createShardedAdapter(publisher, subscriber) }))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
