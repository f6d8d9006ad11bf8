/** The log on Redis does what every room log does: on one server, in a Redis Cluster, and with signed entries. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { RedisLogOptions } from '../../src/log/redis/redis-log.ts'
import { startRedisCluster } from '../harness/redis/cluster.ts'
import { type RedisHost, redisHost } from '../harness/redis/host-connection.ts'
import { startRedis } from '../harness/redis/redis.ts'
import type { MakeLog } from './log-under-test.ts'
import { logOn } from './redis-logs.ts'
import { describeRoomLog } from './room-log-suite.ts'

interface Server {
  url: string
  stop(): Promise<void>
}

/** Every log has its own cluster name, and so its own part of the same Redis. */
function describeOn(
  name: string,
  start: () => Promise<Server>,
  options: Partial<RedisLogOptions> = {},
): void {
  describe(name, () => {
    let server: Server
    const hosts: RedisHost[] = []
    beforeAll(async () => {
      server = await start()
      for (let n = 0; n < 2; n += 1) hosts.push(redisHost({ REDIS_URL: server.url }))
      await Promise.all(hosts.map((host) => host.untilWell()))
    })
    afterAll(async () => {
      for (const { connection } of hosts) connection.close()
      await server.stop()
    })

    let made = 0
    const makeLog: MakeLog = async ({ retention, clock, canJudgeAges, roomsPerUser }) => {
      made += 1
      const [first, second] = hosts
      if (first === undefined || second === undefined) throw new Error('no connections')
      const terms = {
        ...options,
        retention,
        clock: { now: clock, canJudgeAges },
        cluster: `c${made}`,
        limits: { roomsPerUser, clockDriftMs: Number.MAX_SAFE_INTEGER },
      }
      const { log } = logOn(first, terms)
      const logs = [log]
      return {
        log,
        openReader: async () => {
          const reader = logOn(second, terms).log
          logs.push(reader)
          return reader
        },
        trimAged: async () => {
          await log.sweep()
        },
        dispose: async () => {
          for (const each of logs.splice(0)) await each.close()
        },
      }
    }
    describeRoomLog('the log on Redis', makeLog)
  })
}

describeOn('on one server', startRedis)
describeOn('in a Redis Cluster', startRedisCluster)
describeOn('signed', startRedis, {
  keys: { cluster: 'signed', secrets: ['0123456789abcdef0123456789abcdef'] },
})
