/** Subscriptions with a real Redis: confirmed, counted, and restored after any loss. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ChannelHandler, Subscriptions } from '../../src/redis/subscriptions.ts'
import { readyTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import type { RedisHost } from '../harness/redis/host-connection.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const connect = (redis: TestRedis, env: Record<string, string> = {}) =>
  readyTestConnection({ REDIS_URL: redis.url, ...env })

/** @returns the number of receivers, as Redis reports */
const publish = ({ connection }: RedisHost, channel: string, text: string) =>
  connection.run((commands) => commands.spublish(channel, text))

function hearer(): { heard: string[]; handler: ChannelHandler } {
  const heard: string[] = []
  return { heard, handler: (bytes) => heard.push(bytes.toString()) }
}

/** The channels that are reported as restored. */
function restoredChannels({ connection }: RedisHost): string[] {
  const restored: string[] = []
  connection.subscriptions.onRestored((channels) => restored.push(...channels))
  return restored
}

async function subscribe(host: RedisHost, channel: string) {
  const { heard, handler } = hearer()
  const restored = restoredChannels(host)
  await host.connection.subscriptions.subscribe(channel, handler)
  return { heard, restored }
}

const broken = () => {
  throw new Error('broken listener')
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `channel ${index}`)

function subscribeAll(subscriptions: Subscriptions, channels: readonly string[], handler: ChannelHandler) {
  return Promise.all(channels.map((channel) => subscriptions.subscribe(channel, handler)))
}

describe('a subscription', () => {
  it('delivers bytes to every listener once it is confirmed', async () => {
    const host = await connect(await startTestRedis())
    const { subscriptions } = host.connection
    const [a, b] = [hearer(), hearer()]
    const channel = 'rookery:{r:日本}:entries'
    await Promise.all([
      subscriptions.subscribe(channel, a.handler),
      subscriptions.subscribe(channel, b.handler),
    ])
    expect(await publish(host, channel, 'x')).toBe(1)
    await until(() => b.heard.length === 1, 'the message arrives')
    expect([a.heard, b.heard]).toEqual([['x'], ['x']])
  })

  it('is counted: it takes the same number of calls to end as to begin', async () => {
    const host = await connect(await startTestRedis())
    const { subscriptions } = host.connection
    const { heard, handler } = hearer()
    await subscribeAll(subscriptions, ['a', 'a'], handler)
    subscriptions.unsubscribe('a', handler)
    expect(await publish(host, 'a', '1')).toBe(1)
    await until(() => heard.length === 1, 'the message arrives once')
    subscriptions.unsubscribe('a', handler)
    subscriptions.unsubscribe('a', handler)
    await until(async () => (await publish(host, 'a', '2')) === 0, 'Redis has no such subscription any more')
    expect(heard).toEqual(['1'])
    expect(await host.metric('rookery_redis_subscriptions')).toBe(0)
  })

  it('ends and begins in any order without being lost or left over', async () => {
    const host = await connect(await startTestRedis())
    const { subscriptions } = host.connection
    const { heard, handler } = hearer()
    const swallowed: unknown[] = []
    for (let round = 0; round < 200; round += 1) {
      void subscriptions.subscribe('a', handler).catch((error: unknown) => swallowed.push(error))
      if (round % 3 === 0) await publish(host, 'other', 'x')
      subscriptions.unsubscribe('a', handler)
      if (round % 5 === 0) await publish(host, 'other', 'x')
    }
    await subscriptions.subscribe('a', handler)
    expect(await publish(host, 'a', 'kept')).toBe(1)
    await until(() => heard.includes('kept'), 'the message arrives')
    expect(heard).toEqual(['kept'])
    expect(swallowed.map(String)).not.toEqual([])
    subscriptions.unsubscribe('a', handler)
    await until(async () => (await publish(host, 'a', 'x')) === 0, 'Redis has no such subscription any more')
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 20])(
    'is confirmed again when it ends and begins within %i microtasks',
    async (microtasks) => {
      const redis = await startTestRedis()
      const host = await connect(redis)
      const { subscriptions } = host.connection
      const { heard, handler } = hearer()
      await subscriptions.subscribe('a', handler)
      subscriptions.unsubscribe('a', handler)
      for (let count = 0; count < microtasks; count += 1) await Promise.resolve()
      await subscriptions.subscribe('a', handler)
      expect(await publish(host, 'a', 'x')).toBe(1)
      await until(() => heard.length === 1, 'the message arrives')
    },
  )

  it('waits while Redis is unavailable, and is withdrawn when that takes too long', async () => {
    const redis = await startTestRedis()
    const host = await connect(redis, { REDIS_TIMEOUT_MS: '300' })
    const { subscriptions } = host.connection
    const { heard, handler } = hearer()
    await redis.kill()
    await expect(subscriptions.subscribe('late', handler)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await host.metric('rookery_redis_subscriptions')).toBe(0)
    await redis.start()
    await host.untilWell()
    await subscriptions.subscribe('a', handler)
    expect(await publish(host, 'late', 'x')).toBe(0)
    expect(heard).toEqual([])
  })

  it('that was confirmed is kept over an outage of any length', async () => {
    const redis = await startTestRedis()
    const host = await connect(redis, { REDIS_TIMEOUT_MS: '200' })
    const { heard, restored } = await subscribe(host, 'a')
    await redis.kill()
    const failures = () => host.metric('rookery_redis_commands_total', { outcome: 'unavailable' })
    await until(async () => {
      await publish(host, 'a', 'x').catch(() => undefined)
      return (await failures()) > 20 && host.health.subscriptions !== null
    }, 'Redis has been unavailable for longer than a subscription waits')
    await redis.start()
    await until(() => restored.includes('a'), 'the subscription is restored')
    await host.untilWell()
    await publish(host, 'a', 'back')
    await until(() => heard.includes('back'), 'the message arrives')
  })

  it('still delivers when another listener throws', async () => {
    const host = await connect(await startTestRedis())
    const { subscriptions } = host.connection
    const { heard, handler } = hearer()
    await subscriptions.subscribe('a', broken)
    await subscriptions.subscribe('a', handler)
    await publish(host, 'a', '1')
    await publish(host, 'a', '2')
    await until(() => heard.length === 2, 'both messages arrive')
    expect(await host.metric('rookery_redis_handler_errors_total')).toBe(2)
    expect(JSON.stringify(host.lines)).toContain('broken listener')
  })
})

/** Numbered messages that one host publishes, and those that the other misses without a report. */
class Audit {
  readonly channels: readonly string[]
  readonly #speaker: RedisHost
  readonly #published = new Map<string, number>()
  readonly #missing = new Map<string, Set<number>>()
  /** Missing, but reported: the channel was restored after they had been published. */
  reported = 0
  restorations = 0

  constructor(speaker: RedisHost, channels: readonly string[]) {
    this.#speaker = speaker
    this.channels = channels
  }

  readonly handler: ChannelHandler = (bytes, channel) => {
    this.#missing.get(channel)?.delete(Number(bytes.toString()))
  }

  readonly restored = (channels: readonly string[]) => {
    this.restorations += 1
    for (const channel of channels) {
      this.reported += this.#missing.get(channel)?.size ?? 0
      this.#missing.delete(channel)
    }
  }

  /** Publishes the next number on each of `count` channels. */
  async round(count: number): Promise<void> {
    const some = Array.from({ length: count }, () => Math.floor(Math.random() * this.channels.length))
    await Promise.all(some.map((index) => this.#next(this.channels[index] ?? '')))
  }

  untold(): string[] {
    return [...this.#missing].flatMap(([channel, numbers]) =>
      [...numbers].map((number) => `${channel}: ${number}`),
    )
  }

  async #next(channel: string): Promise<void> {
    const number = (this.#published.get(channel) ?? 0) + 1
    this.#published.set(channel, number)
    const missing = this.#missing.get(channel) ?? new Set()
    this.#missing.set(channel, missing.add(number))
    await publish(this.#speaker, channel, String(number))
  }
}

describe('a lost subscription', () => {
  it('is reported, and nothing else is: 1,000 channels while their connection is killed again and again', async () => {
    const redis = await startTestRedis()
    const [listener, speaker] = [await connect(redis), await connect(redis)]
    const audit = new Audit(speaker, names(1_000))
    const { subscriptions } = listener.connection
    subscriptions.onRestored(audit.restored)
    await subscribeAll(subscriptions, audit.channels, audit.handler)
    await until(async () => {
      if (listener.health.subscriptions === null) await redis.cli('client', 'kill', 'type', 'pubsub')
      await audit.round(50)
      return audit.restorations >= 15 && audit.reported > 0
    }, 'the connection was killed 15 times, and messages were missed')
    await listener.untilWell()
    await audit.round(200)
    await until(
      () => audit.untold().length === 0,
      'no message is missing without a report',
      () => audit.untold().join('\n'),
    )
  })

  it('is restored in bounded steps, completely before the report: 20,000 channels', async () => {
    const redis = await startTestRedis()
    const host = await connect(redis, { REDIS_TIMEOUT_MS: '60000' })
    const { subscriptions } = host.connection
    const { heard, handler } = hearer()
    const channels = names(20_000)
    await subscribeAll(subscriptions, channels, handler)
    const restoredCounts: number[] = []
    const confirmed: number[] = []
    subscriptions.onRestored((restored) => {
      restoredCounts.push(restored.length)
      void redis
        .cli('client', 'list')
        .then((list) => confirmed.push(Number(/ssub=([1-9]\d*)/.exec(list)?.[1])))
    })
    await redis.cli('client', 'kill', 'type', 'pubsub')
    await until(() => confirmed.length > 0, 'all channels are restored')
    expect(restoredCounts).toEqual([20_000])
    expect(confirmed).toEqual([20_000])
    expect(host.health.subscriptions).toBeNull()
    await publish(host, 'channel 19999', 'x')
    await until(() => heard.length > 0, 'the message arrives')
  })

  it('is reported when Redis disconnects a host that does not read fast enough', async () => {
    const redis = await startTestRedis({ config: { 'client-output-buffer-limit': 'pubsub 1mb 0 0' } })
    const host = await connect(redis)
    const { heard, restored } = await subscribe(host, 'a')
    const flood = "for i = 1, 200 do redis.call('SPUBLISH', KEYS[1], string.rep('x', 100000)) end"
    await redis.cli('eval', flood, '1', 'a')
    await until(() => restored.length > 0, 'the loss is reported')
    expect(restored).toEqual(['a'])
    expect(heard.length).toBeLessThan(200)
    await publish(host, 'a', 'after')
    await until(() => heard.includes('after'), 'the message arrives')
  })

  it('does not delay other channels: a channel that is forbidden after a loss', async () => {
    const redis = await startTestRedis()
    await redis.cli('acl', 'setuser', 'chat', 'on', '>secret', '~*', '&*', '+@all')
    const host = await connect(redis, { REDIS_URL: redis.url.replace('://', '://chat:secret@') })
    const { handler } = hearer()
    const restored = restoredChannels(host)
    await subscribeAll(host.connection.subscriptions, ['a', 'b', 'c'], handler)
    await redis.cli('acl', 'setuser', 'chat', 'resetchannels', '&a', '&c')
    await until(() => restored.length === 2, 'the others are restored')
    expect(restored.toSorted()).toEqual(['a', 'c'])
    await until(
      () => host.health.subscriptions?.includes('NOPERM') === true,
      'the health says what is refused',
    )
    await redis.cli('acl', 'setuser', 'chat', '&b')
    await until(() => restored.includes('b'), 'the subscription is restored')
    await host.untilWell()
  })

  it('is reported after a connection goes silent: it is dropped, and reopened once Redis answers', async () => {
    const redis = await startTestRedis()
    const host = await connect(redis, { REDIS_TIMEOUT_MS: '200' })
    const { heard, restored } = await subscribe(host, 'a')
    redis.pause()
    onTestFinished(() => redis.resume())
    await until(() => host.health.subscriptions !== null, 'the silent connection is given up')
    expect(restored).toEqual([])
    redis.resume()
    await until(() => restored.includes('a'), 'the subscription is restored')
    await host.untilWell()
    await publish(host, 'a', 'x')
    await until(() => heard.includes('x'), 'the message arrives')
  })

  it('is renewed by a new connection on request', async () => {
    const host = await connect(await startTestRedis())
    const { heard, restored } = await subscribe(host, 'a')
    host.connection.subscriptions.renew('nothing is heard')
    await until(() => restored.includes('a'), 'the subscription is restored')
    await publish(host, 'a', 'x')
    await until(() => heard.includes('x'), 'the message arrives')
    expect(await host.metric('rookery_redis_connects_total', { role: 'subscriber' })).toBe(2)
  })
})
