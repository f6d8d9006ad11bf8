/**
 * Counts what a redis-server holds: keys and subscriptions. Use it on a small server that is otherwise idle.
 */
import type { Redis } from 'ioredis'
import type { RedisResources } from '../model/resources.ts'
import { redisFiguresFrom } from './redis-info.ts'

/** Keys without and with an expiry time. */
const KEYS = `
local stay, expire = 0, 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then stay = stay + 1 else expire = expire + 1 end
end
return stay .. ' ' .. expire`

/** Excludes the connection of this request. */
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
