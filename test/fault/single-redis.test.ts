/**
 * Two hosts whose Redis stops cleanly, drops every connection, is slow, or does not answer; and workers that
 * die while hosts recover.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { underLoad, untilMoreAcked } from '../harness/members/under-load.ts'
import { Network } from '../harness/network/proxy.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const HOSTS = 2
const SLOW_MS = 100

let redis: TestRedis
let network: Network
const hosts: RunningRookery[] = []

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'always' })
  network = await Network.to(redis.port)
  const env = {
    ...UNLIMITED_RATES,
    REDIS_URL: network.url.replace('http:', 'redis:'),
    CLUSTER_SECRET: 'a secret of more than thirty-two bytes',
    DRAIN_MS: '500',
  }
  for (let n = 1; n <= HOSTS; n += 1)
    hosts.push(await startRookery({ env: { ...env, HOST_NAME: `host-${n}` } }))
  await untilWhole()
})

afterAll(async () => {
  for (const host of hosts) await host.kill()
  await network?.close()
  await redis?.stop()
})

const urls = () => hosts.map(({ url }) => url)

async function untilWhole(): Promise<void> {
  for (const { adminUrl } of hosts)
    await until(async () => {
      const answer = await fetch(`${adminUrl}/status`)
      const status = (await answer.json()) as { degraded: string | null; hosts: unknown[] }
      return status.degraded === null && status.hosts.length === HOSTS - 1
    }, 'the hosts are healthy and know each other')
}

test('Redis stops cleanly and restarts, its connections are closed, it is slow: no client loses its connection', async () => {
  const crowd = await underLoad({ url: urls(), label: 'ends-' }, async (writers) => {
    await redis.kill('SIGTERM')
    await until(() => Object.keys(writers.refusals()).length > 0, 'sends are refused')
    await redis.start()
    await untilMoreAcked(writers)
    for (const type of ['normal', 'pubsub']) await redis.cli('client', 'kill', 'type', type)
    await untilMoreAcked(writers)
    network.slow(SLOW_MS)
    await untilMoreAcked(writers)
    network.slow(0)
  })
  expect(crowd.disconnects).toBe(0)
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  await untilWhole()
})

test('Redis is unreachable over connections that look open, and workers die while the hosts recover', async () => {
  await underLoad({ url: urls(), label: 'half-open-' }, async (writers) => {
    network.hold()
    await until(() => Object.keys(writers.refusals()).length > 0, 'sends are refused')
    network.mend()
    for (const host of hosts) host.killWorker(0)
    await untilMoreAcked(writers)
    for (const host of hosts) await host.untilLog('worker ready', 3)
  })
  await untilWhole()
})

test('workers are rolled on one host, and one of them dies meanwhile; then the connections to Redis are closed too', async () => {
  const [host] = hosts
  if (host === undefined) throw new Error('no host')
  const before = new Set(host.workerNames())
  await underLoad({ url: urls(), label: 'rolled-' }, async (writers) => {
    host.signal('SIGHUP')
    await until(() => host.workerNames().some((name) => !before.has(name)), 'the first new worker is ready')
    process.kill(host.workerPids().at(-1) ?? 0, 'SIGKILL')
    await redis.cli('client', 'kill', 'type', 'normal')
    await until(
      () => host.countLogs('reload done') + host.countLogs('reload failed') > 0,
      'the reload is done',
      () => host.tail(),
    )
    await untilMoreAcked(writers)
  })
  await until(() => host.workerNames().length === 2, 'there are as many workers as before')
  await untilWhole()
})
