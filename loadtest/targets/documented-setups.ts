/** All documented setups. */
import type { Target } from '../model/target.ts'
import { type DocumentedSetup, documented } from './documented-target.ts'
import type { RedisServer } from './redis-server.ts'

/** The second line of the response to PUBSUB NUMSUB and the like. */
const numberOf = (lines: readonly string[]): number => Number(lines[1] ?? 0)

const STICKY = 'as its README describes it, with @socket.io/sticky in the primary'
const NOT_KEPT = 'its own redis-server without persistence (or as REDIS_APPENDFSYNC says)'

const setUps: readonly DocumentedSetup[] = [
  {
    name: 'sticky-cluster',
    title: `@socket.io/cluster-adapter ${STICKY}; one host`,
    dialect: 'bench',
    workers: true,
    needs: [],
  },
  {
    name: 'redis-classic',
    title: `@socket.io/redis-adapter (classic) in every worker, ${STICKY} of each host; ${NOT_KEPT}`,
    dialect: 'bench',
    workers: true,
    knownToRedis: async (redis: RedisServer) =>
      numberOf(await redis.ask('PUBSUB', 'NUMSUB', 'socket.io-request#/#')),
    needs: [],
  },
  {
    name: 'redis-sharded',
    title: `@socket.io/redis-adapter (sharded) in every worker, ${STICKY} of each host; ${NOT_KEPT}`,
    dialect: 'bench',
    workers: true,
    knownToRedis: async (redis: RedisServer) =>
      numberOf(await redis.ask('PUBSUB', 'SHARDNUMSUB', 'socket.io#/#')),
    needs: [],
  },
  {
    name: 'redis-streams',
    title: `@socket.io/redis-streams-adapter with connection state recovery in every worker, ${STICKY} of each host; ${NOT_KEPT}`,
    dialect: 'bench',
    workers: true,
    knownToRedis: async (redis: RedisServer) =>
      (await redis.ask('CLIENT', 'LIST')).filter((line) => / cmd=xread /.test(line)).length,
    needs: ['@socket.io/redis-streams-adapter'],
  },
  {
    name: 'one-process',
    title: 'Socket.IO in one process, without an adapter',
    dialect: 'bench',
    workers: false,
    needs: [],
  },
  {
    name: 'bare-ws',
    title: 'plain WebSockets (ws) in one process, without Socket.IO: the lower bound',
    dialect: 'bare',
    workers: false,
    needs: [],
  },
]

export const documentedTargets: readonly Target[] = setUps.map(documented)
