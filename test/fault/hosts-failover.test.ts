/**
 * Three hosts whose Redis has replicas: a master that Sentinels replace, and a Redis Cluster whose slots move
 * and whose master is killed.
 */
import { afterEach, expect, test, vi } from 'vitest'
import { type HostNetwork, openHostNetwork } from '../harness/cluster/host-networks.ts'
import { startHosts, type TestHosts } from '../harness/cluster/hosts.ts'
import type { Crowd } from '../harness/members/crowd.ts'
import { crowdOver, during, writeThrough } from '../harness/members/three-hosts.ts'
import { startRedisCluster, type TestRedisCluster } from '../harness/redis/cluster.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { startSentinel } from '../harness/redis/sentinel.ts'
import { until } from '../harness/until.ts'

/** Each test starts several Redis servers and three hosts, on a machine that may be busy. */
vi.setConfig({ testTimeout: 300_000 })

const open: (() => void | Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

async function network(): Promise<HostNetwork> {
  const net = await openHostNetwork(3)
  open.push(() => net.close())
  return net
}

async function hostsOver(
  net: HostNetwork,
  redis: TestRedis,
  redisEnv: Record<string, string>,
): Promise<TestHosts> {
  const hosts = await startHosts(net, redis, { redisEnv })
  open.push(() => hosts.stop())
  return hosts
}

test('a Sentinel fail-over: members learn of any loss by a new epoch, and all continue', async () => {
  const net = await network()
  const sentinel = await startSentinel({ host: net.gateway })
  open.push(() => sentinel.stop())
  const master = await sentinel.master()
  const hosts = await hostsOver(net, master, {
    REDIS_URL: master.url,
    REDIS_SENTINELS: sentinel.addresses,
    REDIS_SENTINEL_NAME: sentinel.name,
  })
  const crowd = await crowdOver({ hosts, label: 'failover' })
  open.push(() => crowd.close())
  await writeThrough(crowd, async () => {
    await master.kill()
    await until(async () => (await sentinel.master()) !== master, 'the Sentinels name another master')
  })
  await auditLoss(crowd)
  await hosts.untilWhole()
  expect(hosts.deaths()).toEqual([])
})

async function clusterOn(
  net: HostNetwork,
  replicas: number,
): Promise<{ redis: TestRedisCluster; hosts: TestHosts }> {
  const redis = await startRedisCluster({ masters: 3, replicas, host: net.gateway })
  open.push(() => redis.stop())
  return { redis, hosts: await hostsOver(net, redis.first, { REDIS_URL: redis.url }) }
}

test('slots of a Redis Cluster move: those of rooms and of the host registry', async () => {
  const { redis, hosts } = await clusterOn(await network(), 0)
  await during({ hosts, label: 'moved' }, async (crowd) => {
    for (const key of [
      '{rookery}',
      ...roomsOf(crowd)
        .slice(0, 4)
        .map((room) => `{r:${room}}`),
    ]) {
      const owner = await redis.ownerOf(key)
      const other = redis.nodes.find((node) => node !== owner)
      if (other !== undefined) await redis.moveSlotOf(key, other)
      expect(await redis.ownerOf(key)).toBe(other)
    }
  })
})

test('the Redis Cluster master of the host registry dies: its replica takes over, and all continue', async () => {
  const { redis, hosts } = await clusterOn(await network(), 1)
  const crowd = await crowdOver({ hosts, label: 'death' })
  open.push(() => crowd.close())
  await writeThrough(crowd, async () => {
    const master = await redis.ownerOf('{rookery}')
    await master.kill()
    await until(() => redis.isWhole(), 'the replica has taken over')
  })
  await auditLoss(crowd)
  await hosts.untilWhole()
  expect(hosts.deaths()).toEqual([])
})

const roomsOf = (crowd: Crowd) => [...new Set(crowd.members.map(({ room }) => room))]

/** For each room: all acked messages are there, or all members learned that the log is another one. */
async function auditLoss(crowd: Crowd): Promise<void> {
  const final = await crowd.write(1).then(() => crowd.acked)
  for (const room of roomsOf(crowd)) {
    const members = crowd.members.filter((member) => member.room === room)
    const acked = final.get(room) ?? []
    const last = acked.slice(-members.length)
    const head = Math.max(...last.map(({ seq }) => seq))
    for (const member of members) await member.has(head)
    const [first] = members
    if (first === undefined) throw new Error('a room without members')
    expect(members.map(({ epoch }) => epoch)).toEqual(members.map(() => first.epoch))
    const bySeq = new Map(members.flatMap(({ shown }) => shown.map(({ seq, id }) => [seq, id])))
    const ids = new Set(bySeq.values())
    expect(ids.size).toBe(bySeq.size)
    for (const { breaks, shown } of members) {
      expect(breaks).toEqual([])
      expect(shown.map(({ seq }) => seq)).toEqual(shown.map((_, index) => (shown[0]?.seq ?? 1) + index))
      expect(shown.filter(({ seq, id }) => bySeq.get(seq) !== id)).toEqual([])
    }
    expect(last.filter(({ seq, id }) => bySeq.get(seq) !== id)).toEqual([])
    const isWhole = acked.every(({ id }) => ids.has(id))
    if (!isWhole) expect(members.filter(({ pastLogs }) => pastLogs.length === 0)).toEqual([])
  }
}
