/**
 * Redis with several nodes: a Redis Cluster whose slots move and whose masters die, and a master that
 * Sentinels replace.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import { runScript, script } from '../../src/redis/script.ts'
import { slotOf } from '../../src/redis/slot.ts'
import { type ClusterSize, startRedisCluster, type TestRedisCluster } from '../harness/redis/cluster.ts'
import { readyTestConnection } from '../harness/redis/for-test.ts'
import type { RedisHost } from '../harness/redis/host-connection.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { startSentinel, type TestSentinel } from '../harness/redis/sentinel.ts'
import { until } from '../harness/until.ts'

const channels = Array.from({ length: 60 }, (_, index) => `rookery:chat:{r:room ${index}}:entries`)

/**
 * Messages that a host has published on `channels` and not received yet. A restored channel may have lost
 * some, so its tracking starts over.
 */
class DeliveryTracker {
  readonly #host: RedisHost
  readonly #missing = new Map<string, Set<string>>()
  #number = 0
  restored: string[] = []
  heardTwice: string[] = []

  constructor(host: RedisHost) {
    this.#host = host
    host.connection.subscriptions.onRestored((restored) => {
      this.restored.push(...restored)
      for (const channel of restored) this.#missing.delete(channel)
    })
  }

  async subscribe(): Promise<void> {
    const heard = new Set<string>()
    const handler = (bytes: Buffer, channel: string) => {
      const text = bytes.toString()
      if (heard.has(text)) this.heardTwice.push(text)
      heard.add(text)
      this.#missing.get(channel)?.delete(text)
    }
    const { subscriptions } = this.#host.connection
    await Promise.all(channels.map((channel) => subscriptions.subscribe(channel, handler)))
  }

  /**
   * Publishes on every channel. A refused message may have been published nevertheless; it is not expected.
   */
  async publish(): Promise<void> {
    await Promise.all(channels.map((channel) => this.#publish(channel)))
  }

  /** Publishes until `happening` is over. */
  async publishDuring(happening: () => Promise<void>): Promise<void> {
    const ended = new AbortController()
    const publishing = (async () => {
      while (!ended.signal.aborted) await this.publish()
    })()
    try {
      await happening()
    } finally {
      ended.abort()
    }
    await publishing
  }

  async publishUntilRestored(expected: readonly string[]): Promise<void> {
    await until(async () => {
      await this.publish()
      return expected.every((channel) => this.restored.includes(channel))
    }, 'the subscriptions are restored')
  }

  /** Publishes once more: then every message since a channel was last restored has arrived. */
  async expectNothingMissing(): Promise<void> {
    await this.publish()
    await until(
      () => this.#texts().length === 0,
      'no message is missing',
      () => this.#texts().join('\n'),
    )
  }

  #texts(): string[] {
    return [...this.#missing].flatMap(([channel, texts]) => [...texts].map((text) => `${channel}: ${text}`))
  }

  async #publish(channel: string): Promise<void> {
    this.#number += 1
    const text = `message ${this.#number}`
    const missing = this.#missing.get(channel) ?? new Set()
    this.#missing.set(channel, missing.add(text))
    await this.#host.connection
      .run((commands) => commands.spublish(channel, text))
      .catch(() => this.#missing.get(channel)?.delete(text))
  }
}

async function startedCluster(size?: ClusterSize): Promise<TestRedisCluster> {
  const cluster = await startRedisCluster(size)
  onTestFinished(() => cluster.stop())
  return cluster
}

interface Subscribed {
  host: RedisHost
  tracker: DeliveryTracker
}

/** A host that is subscribed to every channel. */
async function subscribed(env: Record<string, string>): Promise<Subscribed> {
  const host = await readyTestConnection(env)
  const tracker = new DeliveryTracker(host)
  await tracker.subscribe()
  return { host, tracker }
}

async function subscribedToCluster(size: ClusterSize): Promise<Subscribed & { cluster: TestRedisCluster }> {
  const cluster = await startedCluster(size)
  return { cluster, ...(await subscribed({ REDIS_URL: cluster.url })) }
}

async function subscribedBehindSentinels(
  url: string,
  password?: string,
): Promise<Subscribed & { sentinel: TestSentinel }> {
  const sentinel = await startSentinel(password === undefined ? {} : { password })
  onTestFinished(() => sentinel.stop())
  const env = {
    REDIS_URL: url,
    REDIS_SENTINELS: sentinel.addresses,
    REDIS_SENTINEL_NAME: sentinel.name,
  }
  return { sentinel, ...(await subscribed(env)) }
}

const connectionsAt = async (node: TestRedis) =>
  (await node.cli('client', 'list')).split('\n').filter((line) => line.includes(' name=rookery'))

describe('in a Redis Cluster', () => {
  it('slots are computed as in Redis', async () => {
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

  it('each master has one pair of connections, one address of the cluster is enough, and scripts go where their keys are', async () => {
    const cluster = await startedCluster({ masters: 3 })
    const { host, tracker } = await subscribed({ REDIS_URL: cluster.first.url, REDIS_CLUSTER: 'true' })
    expect(host.connection.isCluster).toBe(true)
    await tracker.expectNothingMissing()
    const echo = script('echo cluster', 'return {ARGV[1], KEYS[1]}')
    for (const key of channels) {
      const answer = await host.connection.run((commands) =>
        runScript(commands, echo, { keys: [key], args: ['x'] }),
      )
      expect(answer).toEqual([Buffer.from('x'), Buffer.from(key)])
    }
    for (const node of cluster.nodes) expect(await connectionsAt(node)).toHaveLength(2)
    expect(tracker.restored).toEqual([])
  })

  it('a moved slot is followed: channels that may have missed messages are reported, others miss none, nothing arrives twice', async () => {
    const { cluster, host, tracker } = await subscribedToCluster({ masters: 3 })
    const moved = channels.slice(0, 12)
    await tracker.publishDuring(async () => {
      for (const channel of moved) {
        const owner = await cluster.ownerOf(channel)
        const [to] = cluster.nodes.filter((node) => node !== owner)
        if (to !== undefined) await cluster.moveSlotOf(channel, to)
      }
      await until(
        () => moved.every((channel) => tracker.restored.includes(channel)),
        'the subscriptions to the moved channels are restored',
      )
      await host.untilWell()
    })
    await tracker.expectNothingMissing()
    expect(tracker.heardTwice).toEqual([])
  })

  it('a subscription is restored after its slot moves away and back at once', async () => {
    const { cluster, host, tracker } = await subscribedToCluster({ masters: 3 })
    const [channel = ''] = channels
    const owner = await cluster.ownerOf(channel)
    const [other] = cluster.nodes.filter((node) => node !== owner)
    if (other === undefined) throw new Error('no other node')
    await cluster.moveSlotOf(channel, other)
    await cluster.moveSlotOf(channel, owner)
    await until(() => tracker.restored.includes(channel), 'the subscription is restored')
    await host.untilWell()
    await tracker.expectNothingMissing()
  })

  it('a planned change of master is followed, and the old one stays as a replica', async () => {
    const { cluster, host, tracker } = await subscribedToCluster({ masters: 3, replicas: 1 })
    const [channel = ''] = channels
    const master = await cluster.ownerOf(channel)
    const replica = await cluster.replicaOf(master)
    await tracker.publishDuring(async () => {
      await replica.cli('cluster', 'failover')
      await until(() => tracker.restored.includes(channel), 'the subscriptions at that master are restored')
      await host.untilWell()
    })
    expect(await cluster.ownerOf(channel)).toBe(replica)
    await tracker.expectNothingMissing()
    expect(tracker.heardTwice).toEqual([])
  })

  it('after the death of a master its replica takes over, and no message is missed without a report', async () => {
    const { cluster, host, tracker } = await subscribedToCluster({ masters: 3, replicas: 1 })
    const [channel = ''] = channels
    const master = await cluster.ownerOf(channel)
    await master.kill()
    await tracker.publishUntilRestored([channel])
    await host.untilWell()
    await tracker.expectNothingMissing()
    await host.connection.run((commands) => commands.set('{r:room 0}', 'x'))
    expect(tracker.heardTwice).toEqual([])
  })
})

describe('behind Sentinels', () => {
  it('the master is found by name, and so is its successor after a fail-over, and no message is missed without a report', async () => {
    const url = `redis://:${encodeURIComponent('secret-of-the-servers')}@ignored`
    const { sentinel, host, tracker } = await subscribedBehindSentinels(url, 'secret-of-the-servers')
    await tracker.expectNothingMissing()
    const before = await sentinel.master()
    const failOver = sentinel.failOver()
    await tracker.publishUntilRestored(channels)
    await failOver
    await host.untilWell()
    await tracker.expectNothingMissing()
    await until(async () => {
      const answer = await host.connection.run((commands) => commands.set('x', 'y')).catch(() => '')
      return answer === 'OK'
    }, 'the new master accepts writes')
    expect(await sentinel.master()).not.toBe(before)
  })

  it('a master that dies is replaced', async () => {
    const { sentinel, host, tracker } = await subscribedBehindSentinels('redis://ignored')
    await (await sentinel.master()).kill()
    await tracker.publishUntilRestored(channels)
    await host.untilWell()
    await tracker.expectNothingMissing()
  })
})
