/** Hosts when they start: what they read from Redis, how much they accept, and what they ignore. */
import { afterEach, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type HostNetwork, openHostNetwork } from '../harness/cluster/host-networks.ts'
import { type HostsOptions, startHosts, type TestHosts } from '../harness/cluster/hosts.ts'
import { freePort } from '../harness/network/free-port.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const open: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})

async function networkOf(hosts: number): Promise<HostNetwork> {
  const net = await openHostNetwork(hosts)
  open.push(() => net.close())
  return net
}

async function redisOn(net: HostNetwork, port?: number): Promise<TestRedis> {
  const redis = await startRedis({
    host: net.gateway,
    appendonly: 'always',
    ...(port === undefined ? {} : { port }),
  })
  open.push(() => redis.stop())
  return redis
}

async function hostsOn(
  net: HostNetwork,
  redis: { host: string; port: number },
  options?: HostsOptions,
): Promise<TestHosts> {
  const hosts = await startHosts(net, redis, options)
  open.push(() => hosts.stop())
  return hosts
}

async function guest(url: string, name: string): Promise<ChatClient> {
  const client = await ChatClient.guest(url, name)
  open.push(async () => client.close())
  return client
}

test('a start without Redis: the host is alive, not ready, says why, and is ready as soon as Redis is', async () => {
  const net = await networkOf(1)
  const port = await freePort()
  const hosts = await hostsOn(net, { host: net.gateway, port }, { workersPerHost: 1, untilReady: false })
  const host = hosts.at(0)
  await until(
    () =>
      host.readiness().then(
        ({ text }) => text.includes('Redis'),
        () => false,
      ),
    'the host says why it is not ready',
    () => host.rookery.tail(),
  )
  expect((await host.readiness()).status).toBe(503)
  expect((await fetch(`${host.url}/healthz`)).status).toBe(200)
  await redisOn(net, port)
  await until(
    () => host.isReady(),
    'the host is ready',
    () => host.rookery.tail(),
  )
  const client = await guest(host.url, 'the first')
  await client.join('first')
  expect((await client.send('first', 'one')).seq).toBe(1)
})

test('each host has two connections to Redis, with one worker and with eight', async () => {
  const net = await networkOf(1)
  const redis = await redisOn(net)
  for (const workersPerHost of [1, 8]) {
    const hosts = await startHosts(net, redis, { workersPerHost })
    try {
      const clients = await Promise.all(
        Array.from({ length: 16 }, (_, index) => guest(hosts.at(0).url, `c${index}`)),
      )
      for (const [index, client] of clients.entries()) {
        await client.join(`room-${index}`)
        await client.send(`room-${index}`, `w${workersPerHost}-${index}`)
      }
      expect(new Set(clients.map(({ welcome }) => welcome.worker)).size).toBe(workersPerHost)
      const listed = await redis.cli('client', 'list')
      expect(listed.split('\n').filter((line) => line.includes('name=rookery:'))).toHaveLength(2)
      for (const client of clients) client.close()
    } finally {
      await hosts.stop()
    }
    await until(
      async () => !(await redis.cli('client', 'list')).includes('name=rookery:'),
      'the connections are closed',
    )
  }
})

test('two clusters on one Redis never mix', async () => {
  const net = await networkOf(2)
  const redis = await redisOn(net)
  const names = ['first', 'second'] as const
  const clusters = await Promise.all(
    names.map((name, index) =>
      startHosts({ ...net, places: net.places.slice(index, index + 1) }, redis, {
        workersPerHost: 1,
        env: { CLUSTER_NAME: name },
      }),
    ),
  )
  open.push(...clusters.map((hosts) => () => hosts.stop()))
  const clients = await Promise.all(clusters.map((hosts) => guest(hosts.at(0).url, 'same')))
  for (const client of clients) await client.join('one-room')
  for (const [index, client] of clients.entries())
    expect((await client.send('one-room', names[index] ?? '')).seq).toBe(1)
  for (const [index, client] of clients.entries()) {
    await client.next('message', ({ seq }) => seq === 1)
    expect(client.all('message').map(({ id }) => id)).toEqual([names[index]])
  }
  for (const hosts of clusters) expect((await hosts.at(0).status()).hosts).toEqual([])
})

const key = (part: string) => `rookery:rookery:{r:guarded}:${part}`

test('entries written into Redis by others reach no client, and are counted', async () => {
  const net = await networkOf(2)
  const redis = await redisOn(net)
  const hosts = await hostsOn(net, redis, { workersPerHost: 1 })
  const [writer, reader] = [await guest(hosts.at(0).url, 'writer'), await guest(hosts.at(1).url, 'reader')]
  await writer.join('guarded')
  await reader.join('guarded')
  await writer.send('guarded', 'm1', 'by its author')
  const first = await reader.next('message', ({ id }) => id === 'm1')

  const stored: Record<string, unknown> = JSON.parse(await redis.cli('hget', key('log'), '1'))
  const epoch = await redis.cli('hget', key('meta'), 'epoch')
  const forged = { ...stored, seq: 2, id: 'm2', n: 2 }
  const refused = (where: string) =>
    hosts.metric('rookery_log_refused_entries_total', { where, why: 'forged' })
  expect(await redis.cli('spublish', key('entries'), JSON.stringify({ ...forged, epoch }))).toBe('2')
  await until(async () => (await refused('channel')) === 2, 'both hosts refuse the entry')
  await redis.cli('hset', key('log'), '2', JSON.stringify(forged))
  await redis.cli('hset', key('meta'), 'head', '2', 'texts', '2')
  expect((await writer.send('guarded', 'm3')).seq).toBe(3)
  for (const client of [writer, reader]) await client.next('message', ({ id }) => id === 'm3')
  expect(await refused('store')).toBeGreaterThan(0)

  for (const client of [writer, reader]) {
    const texts = client.all('message').filter(({ kind }) => kind === 'text')
    expect(texts.map(({ id }) => id)).toEqual(['m1', 'm3'])
    expect(client.seqs('guarded')).toEqual([1, 2, 3])
    const { messages } = await client.ask('room:history', { room: 'guarded', after: 0 })
    expect(messages.filter(({ kind }) => kind === 'text').map(({ id }) => id)).toEqual(['m1', 'm3'])
    expect(messages[0]).toEqual(first)
  }
  expect(hosts.deaths()).toEqual([])
})
