/** What a redis-server holds: keys, and what is subscribed to. For a small one of its own, at a moment at which it has nothing else to do. */
import type { Redis } from 'ioredis'
import type { RedisResources } from '../model/resources.ts'
import { redisFiguresFrom } from './redis-info.ts'

/** The keys that never expire, and those that do. */
const KEYS = `
local stay, expire = 0, 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then stay = stay + 1 else expire = expire + 1 end
end
return stay .. ' ' .. expire`

/** Without the connection on which it is asked. */
export async function resourcesOf(redis: Redis): Promise<RedisResources> {
  const [persistentKeys = Number.NaN, expiringKeys = Number.NaN] = String(await redis.eval(KEYS, 0))
    .split(' ')
    .map(Number)
  const figures = redisFiguresFrom(await redis.info('clients', 'stats'))
  return {
    persistentKeys,
    expiringKeys,
    channels: await lengthOf(redis.pubsub('CHANNELS')),
    shardChannels: await lengthOf(redis.pubsub('SHARDCHANNELS')),
    patterns: Number(await redis.pubsub('NUMPAT')),
    connections: figures.connections - 1,
  }
}

async function lengthOf(answer: Promise<unknown>): Promise<number> {
  const list = await answer
  return Array.isArray(list) ? list.length : Number.NaN
}
