/** A program outside the cluster that writes to the clients of a room through Redis: `node bot.ts ROOM TEXT`. */
import { argv, env } from 'node:process'
import { Emitter } from '@socket.io/redis-emitter'
import { createClient } from 'redis'

const [room = 'lobby', text = 'hello'] = argv.slice(2)
const redis = createClient({ url: env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
await redis.connect()
new Emitter(redis).to(room).emit('said', { from: 'bot', text })
await redis.close()
