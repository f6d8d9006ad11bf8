/** A Redis Cluster with TLS whose nodes have a certificate for their own name each, and for no address. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { startRedisCluster, type TestRedisCluster } from '../harness/redis/cluster.ts'
import { openTestConnection, readyTestConnection } from '../harness/redis/for-test.ts'
import type { RedisHost } from '../harness/redis/host-connection.ts'
import { resolveTestNames } from '../harness/redis/test-names.ts'
import { makeNamedCertificates, type TestCertificates } from '../harness/redis/tls.ts'
import { until } from '../harness/until.ts'

const MASTERS = 3
const names = Array.from({ length: 2 * MASTERS }, (_, index) => `node-${index + 1}.redis.test`)
const channels = Array.from({ length: 20 }, (_, index) => `rookery:chat:{r:room ${index}}:entries`)

let certificates: TestCertificates[]
let restoreNames: () => void
beforeAll(async () => {
  restoreNames = resolveTestNames()
  certificates = await makeNamedCertificates(names)
})
afterAll(async () => {
  restoreNames()
  await certificates[0]?.remove()
})

async function started(announced?: readonly string[]): Promise<TestRedisCluster> {
  const named = announced === undefined ? {} : { names: announced }
  const cluster = await startRedisCluster({ masters: MASTERS, replicas: 1, tls: certificates, ...named })
  onTestFinished(() => cluster.stop())
  return cluster
}

const urlOf = (cluster: TestRedisCluster, count: number) =>
  cluster.nodes
    .slice(0, count)
    .map(({ port }, index) => `rediss://${names[index] ?? ''}:${port}`)
    .join(',')

/** Writes and publishes in slots of every node, and receives all of it. */
async function usesEveryNode({ connection }: RedisHost): Promise<void> {
  const heard = new Set<string>()
  for (const channel of channels)
    await connection.subscriptions.subscribe(channel, (_bytes, name) => heard.add(name))
  await until(async () => {
    const sent = channels.map((channel) =>
      connection.run(async (commands) => {
        await commands.set(channel, 'x')
        await commands.spublish(channel, 'x')
      }),
    )
    const outcomes = await Promise.allSettled(sent)
    return outcomes.every(({ status }) => status === 'fulfilled') && heard.size === channels.length
  }, 'every node takes commands and delivers')
}

it.each([
  ['addresses, and REDIS_URL names all of them', 2 * MASTERS, undefined],
  ['names, and REDIS_URL names one of them', 1, names],
])(
  'nodes that announce %s are verified by their names, also after a fail-over',
  async (_how, count, announced) => {
    const cluster = await started(announced)
    const env = { REDIS_URL: urlOf(cluster, count), REDIS_CLUSTER: 'true' }
    const host = await readyTestConnection({ ...env, REDIS_TLS_CA: certificates[0]?.caFile ?? '' })
    await usesEveryNode(host)
    const master = await cluster.ownerOf(channels[0] ?? '')
    const replica = await cluster.replicaOf(master)
    await replica.cli('cluster', 'failover')
    await until(
      async () => (await cluster.ownerOf(channels[0] ?? '')) === replica,
      'the replica is the master',
    )
    await master.kill()
    await host.untilWell()
    await usesEveryNode(host)
  },
)

it('a node with the certificate of another name is refused, with a hint', async () => {
  const cluster = await started()
  const [first, second] = cluster.nodes
  const url = `rediss://${names[1] ?? ''}:${first?.port ?? 0},rediss://${names[0] ?? ''}:${second?.port ?? 0}`
  const host = openTestConnection({ REDIS_URL: url, REDIS_TLS_CA: certificates[0]?.caFile ?? '' })
  await until(
    () => host.lines.some(({ hint }) => String(hint).includes('cluster-preferred-endpoint-type hostname')),
    'a hint says what to do',
    () => JSON.stringify(host.lines.slice(-5)),
  )
  expect(host.health.commands).not.toBeNull()
})
