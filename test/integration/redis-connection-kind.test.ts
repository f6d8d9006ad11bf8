/** Servers of another kind than the settings say: the message names the setting. */
import { expect, it, onTestFinished } from 'vitest'
import { exitCodes } from '../../src/ops/exit-codes.ts'
import { RedisUnfit } from '../../src/redis/server-check.ts'
import { startRookery } from '../harness/cluster/cluster.ts'
import { startRedisCluster } from '../harness/redis/cluster.ts'
import { openTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import { startSentinel } from '../harness/redis/sentinel.ts'
import { until } from '../harness/until.ts'

it("a Sentinel's address in REDIS_URL ends the start with exit code 11, which names REDIS_SENTINELS", async () => {
  const sentinel = await startSentinel()
  onTestFinished(() => sentinel.stop())
  const host = await startRookery({
    env: { REDIS_URL: `redis://${sentinel.addresses.split(',')[0] ?? ''}`, WORKERS: '1' },
    untilReady: false,
  })
  expect((await host.exited()).code).toBe(exitCodes.redisUnfit.code)
  expect(host.otherOutput.join('\n')).toMatch(/REDIS_URL names a Sentinel.*REDIS_SENTINELS/)
})

it('a node of a Redis Cluster that is used alone is refused, which names REDIS_CLUSTER', async () => {
  const cluster = await startRedisCluster({ masters: 3 })
  onTestFinished(() => cluster.stop())
  const { connection } = openTestConnection({ REDIS_URL: cluster.first.url })
  const error: unknown = await connection.ready.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(RedisUnfit)
  expect(String(error)).toContain('one node of a Redis Cluster of 3 masters: set REDIS_CLUSTER=true')
})

it('a server that is no Redis Cluster, or no Sentinel, is retried with a hint', async () => {
  const redis = await startTestRedis()
  const named = { REDIS_SENTINELS: `${redis.host}:${redis.port}` }
  for (const [env, setting] of [
    [{ REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER'],
    [named, 'REDIS_SENTINELS'],
  ] as const) {
    const host = openTestConnection({ REDIS_URL: redis.url, ...env })
    await until(
      () => host.lines.some(({ hint }) => String(hint).includes(setting)),
      `a hint names ${setting}`,
      () => JSON.stringify(host.lines),
    )
  }
})
