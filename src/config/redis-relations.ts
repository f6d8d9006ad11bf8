/** Rules between the settings of Redis and of several hosts. Pure. */
import { parseRedisUrls, type RedisUrl } from './redis-url.ts'
import { type Rule, when } from './rule.ts'
import { environmentName } from './setting.ts'

/** These do nothing without REDIS_URL. */
const needRedis = ['redisCluster', 'redisSentinels', 'redisTlsCa', 'redisTlsCert', 'redisTlsKey'] as const

/** These do nothing without CLUSTER_SECRET. */
const needSecret = ['clusterSecretOther', 'clusterSecretOld'] as const

/** The parts that all addresses of a Redis Cluster must share. */
const sharedParts = ({ tls, user, password, database, family }: RedisUrl) =>
  JSON.stringify([tls, user, password, database, family])

export const redisRules: readonly Rule[] = [
  {
    of: ['redisUrl', ...needRedis],
    check: (config) => {
      const key = needRedis.find((name) => config[name] !== undefined && config[name] !== false)
      if (config.redisUrl !== undefined || key === undefined) return undefined
      return { key, message: `${environmentName(key)} does nothing without REDIS_URL` }
    },
  },
  {
    of: ['redisUrl', 'emitter'],
    check: ({ redisUrl, emitter }) =>
      when(
        redisUrl === undefined && emitter === 'on',
        'emitter',
        'EMITTER=on does nothing without REDIS_URL',
      ),
  },
  {
    of: ['redisUrl', 'redisSentinels', 'redisCluster'],
    check: ({ redisUrl, redisSentinels, redisCluster }) =>
      when(
        redisSentinels !== undefined && (redisCluster || addressesOf(redisUrl).length > 1),
        'redisSentinels',
        'REDIS_SENTINELS excludes a Redis Cluster (REDIS_CLUSTER, or several addresses in REDIS_URL), which does its own fail-over',
      ),
  },
  {
    of: ['redisUrl', 'redisCluster'],
    check: ({ redisUrl, redisCluster }) => {
      const addresses = addressesOf(redisUrl)
      if (!redisCluster && addresses.length < 2) return undefined
      const message = clusterMistake(addresses)
      return message === undefined ? undefined : { key: 'redisUrl', message }
    },
  },
  {
    of: ['redisUrl', 'redisTlsCa', 'redisTlsCert', 'redisTlsKey', 'redisSentinelTls'],
    check: ({ redisUrl, redisTlsCa, redisTlsCert, redisTlsKey, redisSentinelTls }) => {
      const files = [redisTlsCa, redisTlsCert, redisTlsKey].some((file) => file !== undefined)
      const tls = redisSentinelTls || addressesOf(redisUrl).some((address) => address.tls)
      const message =
        'TLS files do nothing with redis://, which is not encrypted; write rediss:// in REDIS_URL'
      return when(redisUrl !== undefined && files && !tls, 'redisUrl', message)
    },
  },
  {
    of: ['redisTlsCert', 'redisTlsKey'],
    check: ({ redisTlsCert, redisTlsKey }) =>
      when(
        (redisTlsCert === undefined) !== (redisTlsKey === undefined),
        redisTlsCert === undefined ? 'redisTlsKey' : 'redisTlsCert',
        'REDIS_TLS_CERT and REDIS_TLS_KEY belong together',
      ),
  },
  {
    of: ['clusterSecret', ...needSecret],
    check: (config) => {
      const key = needSecret.find((name) => config[name] !== undefined)
      if (config.clusterSecret !== undefined || key === undefined) return undefined
      return { key, message: `${environmentName(key)} does nothing without CLUSTER_SECRET` }
    },
  },
  {
    of: ['forwardPort', 'port', 'adminPort'],
    check: ({ forwardPort, port, adminPort }) =>
      when(
        forwardPort !== 0 && (forwardPort === port || forwardPort === adminPort),
        'forwardPort',
        'FORWARD_PORT must differ from PORT and ADMIN_PORT',
      ),
  },
]

function addressesOf(redisUrl: string | undefined): readonly RedisUrl[] {
  return redisUrl === undefined ? [] : (parseRedisUrls(redisUrl) ?? [])
}

function clusterMistake(addresses: readonly RedisUrl[]): string | undefined {
  if (addresses.some(({ socketPath }) => socketPath !== undefined))
    return 'nodes of a Redis Cluster are reached over TCP, not over a socket'
  if (addresses.some(({ database }) => database !== 0)) return 'a Redis Cluster has database 0 alone'
  if (new Set(addresses.map(sharedParts)).size > 1)
    return 'all nodes of a Redis Cluster share one user, one password, one family, and TLS or none'
  return undefined
}
