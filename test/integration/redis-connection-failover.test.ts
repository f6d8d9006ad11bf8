/** Redis with more than one node: a Redis Cluster whose slots move and whose masters die, and a master that Sentinels replace. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { runScript, script } from '../../src/redis/script.ts'
import { slotOf } from '../../src/redis/slot.ts'
import { type ClusterSize, startRedisCluster, type TestRedisCluster } from '../harness/redis/cluster.ts'
import { type RedisHost, redisHost } from '../harness/redis/host-connection.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { startSentinel } from '../harness/redis/sentinel.ts'
import { until } from '../harness/until.ts'

async function startedCluster(size?: ClusterSize): Promise<TestRedisCluster> {
  const cluster = await startRedisCluster(size)
  onTestFinished(() => cluster.stop())
  return cluster
}

async function opened(env: Record<string, string>): Promise<RedisHost> {
  const host = redisHost(env)
  onTestFinished(() => host.connection.close())
  await host.connection.ready
  return host
}

/** What has been published and not heard, by channel; emptied for a channel when it is told to have been restored. */
class Ledger {
  readonly #host: RedisHost
  readonly #open = new Map<string, Set<string>>()
  #number = 0
  restored: string[] = []
  heardTwice: string[] = []

  constructor(host: RedisHost) {
    this.#host = host
    host.connection.subscriptions.onRestored((channels) => {
      this.restored.push(...channels)
      for (const channel of channels) this.#open.delete(channel)
    })
  }

  async hear(channels: readonly string[]): Promise<void> {
    const heard = new Set<string>()
    const handler = (bytes: Buffer, channel: string) => {
      const text = bytes.toString()
      if (heard.has(text)) this.heardTwice.push(text)
      heard.add(text)
      this.#open.get(channel)?.delete(text)
    }
    const { subscriptions } = this.#host.connection
    await Promise.all(channels.map((channel) => subscriptions.subscribe(channel, handler)))
  }

  /** What is refused may have been published all the same, and is not waited for. */
  async publish(channels: readonly string[]): Promise<void> {
    await Promise.all(channels.map((channel) => this.#publish(channel)))
  }

  untold(): string[] {
    return [...this.#open].flatMap(([channel, texts]) => [...texts].map((text) => `${channel}: ${text}`))
  }

  async #publish(channel: string): Promise<void> {
    this.#number += 1
    const text = `message ${this.#number}`
    const open = this.#open.get(channel) ?? new Set()
    this.#open.set(channel, open.add(text))
    await this.#host.connection
      .run((commands) => commands.spublish(channel, text))
      .catch(() => this.#open.get(channel)?.delete(text))
  }
}

const channels = Array.from({ length: 60 }, (_, index) => `rookery:chat:{r:room ${index}}:entries`)

const connectionsAt = async (node: TestRedis) =>
  (await node.cli('client', 'list')).split('\n').filter((line) => line.includes(' name=rookery'))

describe('in a Redis Cluster', () => {
  it('a slot is what Redis says it is', async () => {
    const { first } = await startedCluster({ masters: 3 })
    const names = [
      '',
      'a',
      '{}',
      '{}a',
      'a{b}c',
      'a{b',
      '{b}{c}',
      'a{{b}}c',
      'rookery:{r:日本}:log',
      '}{',
      ...channels,
    ]
    for (const name of names)
      expect(slotOf(name), name).toBe(Number(await first.cli('cluster', 'keyslot', name)))
  })

  it('there is one pair of connections to each master, one address of the cluster is enough, and scripts go where their keys are', async () => {
    const cluster = await startedCluster({ masters: 3 })
    const host = await opened({ REDIS_URL: cluster.first.url, REDIS_CLUSTER: 'true' })
    expect(host.connection.isCluster).toBe(true)
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    await ledger.publish(channels)
    await until(() => ledger.untold().length === 0, 'all is heard')
    const echo = script('echo cluster', 'return {ARGV[1], KEYS[1]}')
    for (const key of channels) {
      const answer = await host.connection.run((commands) =>
        runScript(commands, echo, { keys: [key], args: ['x'] }),
      )
      expect(answer).toEqual([Buffer.from('x'), Buffer.from(key)])
    }
    for (const node of cluster.nodes) expect(await connectionsAt(node)).toHaveLength(2)
    expect(ledger.restored).toEqual([])
  })

  it('a moved slot is followed: what was missed is told, nothing else is missed, nothing comes twice', async () => {
    const cluster = await startedCluster({ masters: 3 })
    const host = await opened({ REDIS_URL: cluster.url })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    const end = new AbortController()
    const publisher = (async () => {
      while (!end.signal.aborted) await ledger.publish(channels)
    })()
    const moved = channels.slice(0, 12)
    for (const channel of moved) {
      const owner = await cluster.ownerOf(channel)
      const [to] = cluster.nodes.filter((node) => node !== owner)
      if (to !== undefined) await cluster.moveSlotOf(channel, to)
    }
    await until(
      () => moved.every((channel) => ledger.restored.includes(channel)),
      'all that moved are heard again',
    )
    await host.untilWell()
    end.abort()
    await publisher
    await ledger.publish(channels)
    await until(
      () => ledger.untold().length === 0,
      'nothing is missing untold',
      () => ledger.untold().join('\n'),
    )
    expect(ledger.heardTwice).toEqual([])
  })

  it('a slot that moves there and back at once is heard again', async () => {
    const cluster = await startedCluster({ masters: 3 })
    const host = await opened({ REDIS_URL: cluster.url })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    const [channel = ''] = channels
    const owner = await cluster.ownerOf(channel)
    const [other] = cluster.nodes.filter((node) => node !== owner)
    if (other === undefined) throw new Error('no other node')
    await cluster.moveSlotOf(channel, other)
    await cluster.moveSlotOf(channel, owner)
    await until(() => ledger.restored.includes(channel), 'it is heard again')
    await host.untilWell()
    await ledger.publish(channels)
    await until(() => ledger.untold().length === 0, 'all is heard')
  })

  it('a planned change of master is followed, while the old one lives on as a replica', async () => {
    const cluster = await startedCluster({ masters: 3, replicas: 1 })
    const host = await opened({ REDIS_URL: cluster.url })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    const [channel = ''] = channels
    const master = await cluster.ownerOf(channel)
    const replica = await cluster.replicaOf(master)
    const end = new AbortController()
    const publisher = (async () => {
      while (!end.signal.aborted) await ledger.publish(channels)
    })()
    await replica.cli('cluster', 'failover')
    await until(() => ledger.restored.includes(channel), 'the channels of that master are heard again')
    await host.untilWell()
    end.abort()
    await publisher
    expect(await cluster.ownerOf(channel)).toBe(replica)
    await ledger.publish(channels)
    await until(
      () => ledger.untold().length === 0,
      'nothing is missing untold',
      () => ledger.untold().join('\n'),
    )
    expect(ledger.heardTwice).toEqual([])
  })

  it('the death of a master is survived: its replica takes over, and nothing is missed untold', async () => {
    const cluster = await startedCluster({ masters: 3, replicas: 1 })
    const host = await opened({ REDIS_URL: cluster.url })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    const [channel = ''] = channels
    const master = await cluster.ownerOf(channel)
    await master.kill()
    await until(async () => {
      await ledger.publish(channels)
      return ledger.restored.includes(channel)
    }, 'the channels of the dead master are heard again')
    await host.untilWell()
    await ledger.publish(channels)
    await until(
      () => ledger.untold().length === 0,
      'nothing is missing untold',
      () => ledger.untold().join('\n'),
    )
    await host.connection.run((commands) => commands.set('{r:room 0}', 'x'))
    expect(ledger.heardTwice).toEqual([])
  })
})

describe('behind Sentinels', () => {
  it('the master is found by its name, and its successor after a fail-over, with nothing missed untold', async () => {
    const sentinel = await startSentinel({ password: 'secret-of-the-servers' })
    onTestFinished(() => sentinel.stop())
    const host = await opened({
      REDIS_URL: `redis://:${encodeURIComponent('secret-of-the-servers')}@ignored`,
      REDIS_SENTINELS: sentinel.addresses,
      REDIS_SENTINEL_NAME: sentinel.name,
    })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    await ledger.publish(channels)
    await until(() => ledger.untold().length === 0, 'all is heard')
    const before = await sentinel.master()
    const failOver = sentinel.failOver()
    await until(async () => {
      await ledger.publish(channels)
      return channels.every((channel) => ledger.restored.includes(channel))
    }, 'all are heard again')
    await failOver
    await host.untilWell()
    await ledger.publish(channels)
    await until(
      () => ledger.untold().length === 0,
      'nothing is missing untold',
      () => ledger.untold().join('\n'),
    )
    await until(async () => {
      const answer = await host.connection.run((commands) => commands.set('x', 'y')).catch(() => '')
      return answer === 'OK'
    }, 'the new master takes writes')
    expect(await sentinel.master()).not.toBe(before)
  })

  it('a master that dies is replaced', async () => {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    const host = await opened({
      REDIS_URL: 'redis://ignored',
      REDIS_SENTINELS: sentinel.addresses,
      REDIS_SENTINEL_NAME: sentinel.name,
    })
    const ledger = new Ledger(host)
    await ledger.hear(channels)
    await (await sentinel.master()).kill()
    await until(async () => {
      await ledger.publish(channels)
      return channels.every((channel) => ledger.restored.includes(channel))
    }, 'all are heard again')
    await host.untilWell()
    await ledger.publish(channels)
    await until(
      () => ledger.untold().length === 0,
      'nothing is missing untold',
      () => ledger.untold().join('\n'),
    )
  })
})
