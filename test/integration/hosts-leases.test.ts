/** Leases in a real Redis whose clock was years ahead when they were taken. */
import { expect, onTestFinished, test } from 'vitest'
import { RedisLeases } from '../../src/primary/leases/redis-leases.ts'
import { clusterKey } from '../../src/redis/names.ts'
import { redisHost } from '../harness/redis/host-connection.ts'
import { startRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const CLUSTER = 'chat'
const LEASE_MS = 100
const TWO_YEARS_MS = 730 * 86_400_000

test('a lease of a host that is gone ends, and its last run is not in the future', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const host = redisHost({ REDIS_URL: redis.url })
  onTestFinished(() => host.connection.close())
  await host.untilWell()
  const leases = new RedisLeases({ connection: host.connection, cluster: CLUSTER })
  const key = clusterKey(CLUSTER, 'lease:task')
  const future = String(Date.now() + TWO_YEARS_MS)
  await redis.cli('hset', key, 'holder', 'gone', 'until', future, 'ran', future)
  expect(await leases.hold('here', 'task', LEASE_MS)).toEqual({ heldMs: 0, ranAgoMs: null })
  const isHeld = async () => (await leases.hold('here', 'task', LEASE_MS)).heldMs > 0
  await until(isHeld, 'the lease has ended')
  expect(Number(await redis.cli('hget', key, 'ran'))).toBeLessThanOrEqual(Date.now() + 1_000)
})
