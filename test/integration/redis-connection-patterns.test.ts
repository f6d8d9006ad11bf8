/** Patterns of classic channels at a real Redis Cluster: any node has all messages, and another takes over. */
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedisCluster } from '../harness/redis/cluster.ts'
import { readyTestConnection } from '../harness/redis/for-test.ts'
import { until } from '../harness/until.ts'

test('a pattern in a Redis Cluster gets what is published at any node, also after its node is gone', async () => {
  const cluster = await startRedisCluster({ config: { 'cluster-require-full-coverage': 'no' } })
  onTestFinished(() => cluster.stop())
  const { connection } = await readyTestConnection({ REDIS_URL: cluster.url })
  const got: string[] = []
  const changes: boolean[] = []
  connection.subscribePatterns(['app#*'], {
    message: (channel, bytes) => void got.push(`${channel} ${bytes.toString()}`),
    changed: (isSubscribed) => void changes.push(isSubscribed),
    failed: () => undefined,
  })
  await until(() => changes.length === 1, 'it is subscribed')
  for (const [index, node] of cluster.nodes.entries()) await node.cli('publish', 'app#/#', String(index))
  await until(() => got.length === 3, 'all messages arrive')
  expect(got.toSorted()).toEqual(['app#/# 0', 'app#/# 1', 'app#/# 2'])

  const numbers = await Promise.all(cluster.nodes.map((node) => node.cli('pubsub', 'numpat')))
  expect(numbers.toSorted()).toEqual(['0', '0', '1'])
  await cluster.nodes[numbers.indexOf('1')]?.stop()
  await until(() => changes.join() === 'true,false,true', 'it is subscribed at another node')
  const left = cluster.nodes[numbers.indexOf('0')]
  const client = new Redis(left?.url ?? '')
  onTestFinished(() => client.disconnect())
  await client.publish('app#/#', 'after')
  await until(() => got.at(-1) === 'app#/# after', 'it arrives')
  expect(got).toHaveLength(4)
})
