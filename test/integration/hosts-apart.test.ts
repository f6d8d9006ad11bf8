/** Messages that a cluster must ignore: garbage, other clusters', forged and replayed ones. */
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AdapterHost } from '../harness/adapter/host.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { startRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

let redis: TestRedis
/** A connection of somebody who can write to Redis. */
let intruder: Redis
let started: AdapterHost[] = []

beforeEach(async () => {
  redis = await startRedis()
  intruder = new Redis(redis.url)
})

afterEach(async () => {
  await Promise.all(started.map((hosts) => hosts.stop()))
  started = []
  intruder.disconnect()
  await redis.stop()
})

async function startHosts(settings: { cluster: string; secrets?: string[] }): Promise<AdapterHost> {
  const hosts = await AdapterHost.startOn(redis, 2, settings)
  started.push(hosts)
  await hosts.startWorker()
  await hosts.startWorker()
  return hosts
}

const refused = (hosts: AdapterHost, reason: string) =>
  hosts.metric('rookery_backplane_refused_total', { reason })

/** A client on each host; both receive what is emitted on the first. */
async function expectWhole(hosts: AdapterHost): Promise<void> {
  const clients = await Promise.all(['w1', 'w2'].map((worker) => hosts.connect(worker, { rooms: ['red'] })))
  await hosts.run('w1', ({ io }) => void io.to('red').emit('end'))
  await Promise.all(clients.map(({ received }) => received.until('end')))
  await hosts.disconnectClients()
}

const channels = async () => (await intruder.pubsub('SHARDCHANNELS')) as string[]

describe('garbage on every channel in use', () => {
  const texts: Record<string, string[]> = {
    unreadable: ['garbage', '{', '{"host":', ''],
    envelope: [
      '{}',
      'null',
      '[1,2]',
      '{"host":"AAAAAA"}',
      '{"host":"AAAAAA","n":1,"base":1,"to":"all","bytes":9,"message":{"type":"send","from":"w1","to":"w1"}}\nshort',
      // Messages that the adapter would obey.
      '{"uid":"x","nsp":"/","type":4,"data":{"opts":{"rooms":[],"except":[]},"rooms":["a"]}}',
      '{"uid":"x","nsp":"/","type":6,"data":{"opts":{"rooms":[],"except":[]},"close":true}}',
      '{"uid":"x","nsp":"/","type":8,"data":{"requestId":"1","sockets":3}}',
    ],
    message: ['{"host":"AAAAAA","n":1,"base":1,"to":"all","message":{"type":"no such"}}'],
  }
  /** Includes MessagePack that claims to be far longer than it is, is nested without end, or is cut off. */
  const bytes = [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    Array.from({ length: 2_000 }, () => 0x91),
    [0xdf, 0x7f, 0xff, 0xff, 0xff, 1],
    [0xc1],
    [0xd9],
  ]

  it('is counted, and everything continues to work', async () => {
    const hosts = await startHosts({ cluster: 'garbage' })
    const client = await hosts.connect('w2', { rooms: ['red'] })
    const before = await refused(hosts, 'unreadable')
    const all = await channels()
    expect(all.length).toBeGreaterThan(5)
    for (const channel of all) {
      for (const text of Object.values(texts).flat()) await intruder.spublish(channel, text)
      for (const list of bytes) await intruder.spublish(channel, Buffer.from(list))
    }
    // At least one host is subscribed to each channel.
    for (const [reason, list] of Object.entries(texts)) {
      const least = all.length * (list.length + (reason === 'unreadable' ? bytes.length : 0))
      await until(
        async () => (await refused(hosts, reason)) - (reason === 'unreadable' ? before : 0) >= least,
        `${reason} is counted`,
      )
    }
    expect(client.received.events).toEqual([['joined']])
    await expectWhole(hosts)
    expect(await hosts.metric('rookery_backplane_refused_total', { reason: 'failed' })).toBe(0)
  })

  it('that imitates a host without a secret becomes no member and gets nothing through', async () => {
    const hosts = await startHosts({ cluster: 'looks' })
    const client = await hosts.connect('w2', { rooms: ['red'] })
    const forged = {
      host: 'AAAAAA',
      base: 1,
      to: 'all',
    }
    const forge = (message: object, n = 1) => JSON.stringify({ ...forged, n, message })
    for (const channel of await channels()) {
      await intruder.spublish(channel, forge({ type: 'beat' }))
      await intruder.spublish(channel, forge({ type: 'groups?' }, 2))
      await redis.cli('spublish', channel, forge({ type: 'workerGone', worker: 'w1' }))
      const iam = { type: 'iam', answer: 'x'.repeat(24), name: 'a stranger' }
      await intruder.spublish(channel, forge(iam))
    }
    await until(async () => (await refused(hosts, 'unasked')) > 0, 'it is not accepted as an answer')
    await expectWhole(hosts)
    expect(await hosts.metric('rookery_hosts')).toBe(2)
    expect(client.received.events.map(([name]) => name)).toEqual(['joined', 'end', 'disconnect'])
  })
})

describe('two clusters on one Redis', () => {
  it('never mix', async () => {
    const [first, second] = await Promise.all([
      startHosts({ cluster: 'first' }),
      startHosts({ cluster: 'second' }),
    ])
    const clients = await Promise.all(
      [first, second].flatMap((hosts) => ['w1', 'w2'].map((worker) => hosts.connect(worker))),
    )
    await first.run('w1', ({ io }) => void io.emit('of the first'))
    await second.run('w1', ({ io }) => void io.emit('of the second'))
    await first.run('w1', ({ io }) => void io.emit('end'))
    await second.run('w1', ({ io }) => void io.emit('end'))
    await Promise.all(clients.map(({ received }) => received.until('end')))
    expect(clients.map(({ received }) => received.events.map(([name]) => name))).toEqual([
      ['joined', 'of the first', 'end'],
      ['joined', 'of the first', 'end'],
      ['joined', 'of the second', 'end'],
      ['joined', 'of the second', 'end'],
    ])
    for (const hosts of [first, second]) {
      expect(await hosts.run('w1', ({ io }) => io.of('/').adapter.serverCount())).toBe(2)
      expect(await hosts.metric('rookery_hosts')).toBe(2)
    }
  })
})

describe('with a secret', () => {
  const secrets = ['a secret of the whole cluster']

  it('everything works, and unsigned or wrongly signed messages are refused', async () => {
    const hosts = await startHosts({ cluster: 'signed', secrets })
    await expectWhole(hosts)
    expect(await refused(hosts, 'unsigned')).toBe(0)
    const strangers = await AdapterHost.startOn(redis, 1, { cluster: 'signed' })
    started.push(strangers)
    await until(async () => (await refused(hosts, 'unsigned')) > 0, 'the unsigned message is refused')
    const others = await AdapterHost.startOn(redis, 1, { cluster: 'signed', secrets: ['another secret'] })
    started.push(others)
    await until(async () => (await refused(hosts, 'forged')) > 0, 'the forged message is refused')
    expect(await hosts.metric('rookery_hosts')).toBe(2)
    await expectWhole(hosts)
  })

  it('the secret can be changed while both are accepted', async () => {
    const old = await AdapterHost.startOn(redis, 1, { cluster: 'changing', secrets: ['old', 'new'] })
    const fresh = await AdapterHost.startOn(redis, 1, { cluster: 'changing', secrets: ['new', 'old'] })
    started.push(old, fresh)
    for (const hosts of [old, fresh])
      await until(async () => (await hosts.metric('rookery_hosts')) === 1, 'the hosts know each other')
  })

  it('a replayed message, unchanged or changed, is refused', async () => {
    const hosts = await startHosts({ cluster: 'again', secrets })
    const client = await hosts.connect('w2', { rooms: ['red'] })
    const tapped = new Redis(redis.url)
    const kept: [string, Buffer][] = []
    tapped.on('smessageBuffer', (channel: Buffer, message: Buffer) =>
      kept.push([channel.toString(), message]),
    )
    await tapped.ssubscribe(...(await channels()))
    await hosts.run('w1', ({ io }) => void io.to('red').emit('once', 1))
    await client.received.until('once')
    const publication = kept.find(([channel]) => channel.includes('red'))
    if (publication === undefined) throw new Error('nothing was tapped')
    const [channel, message] = publication
    await intruder.spublish(channel, message)
    await until(async () => (await refused(hosts, 'replayed')) > 0, 'the replayed message is refused')
    const changed = Buffer.from(message.toString('latin1').replace('once', 'evil'), 'latin1')
    await intruder.spublish(channel, changed)
    await until(async () => (await refused(hosts, 'forged')) > 0, 'the changed message is refused')
    await expectWhole(hosts)
    expect(client.received.events.map(([name]) => name)).toEqual(['joined', 'once', 'end', 'disconnect'])
    tapped.disconnect()
  })
})
