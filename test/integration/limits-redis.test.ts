/** Counters that hosts share in a real Redis: windows of messages, and connections by host. */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserLimits } from '../../src/primary/limits/limits.ts'
import { userKey } from '../../src/redis/names.ts'
import { redisHost } from '../harness/redis/host-connection.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const CLUSTER = 'chat'
const KEY = userKey(CLUSTER, 'ann', 'connections')
const tab = (connectionId: string) => ({ userId: 'ann', connectionId })

async function started(): Promise<TestRedis> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

interface HostOptions {
  /** The other hosts that it considers alive. It is read again each time. */
  others?: string[]
  messageRate?: number
  messageBurst?: number
}

async function host(redis: TestRedis, self: string, options: HostOptions = {}): Promise<UserLimits> {
  const { others = [], messageRate = 1, messageBurst = 1_000 } = options
  const redisSide = redisHost({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '30000' })
  const { connection } = redisSide
  onTestFinished(() => connection.close())
  const hosts = () => others.map((tag) => ({ host: tag, name: tag, forwardTo: undefined }))
  const limits = new UserLimits({
    settings: {
      messageRate,
      messageBurst,
      requestRate: messageRate,
      requestBurst: messageBurst,
      connectionsPerUser: 2,
    },
    shared: { connection, cluster: CLUSTER, backplane: { self, hosts } },
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
  onTestFinished(() => limits.close())
  await redisSide.untilWell()
  return limits
}

const TOO_MANY = { code: 'rate_limited', retryAfterMs: expect.any(Number) }

describe('messages', () => {
  it('are counted together, in a key that expires', async () => {
    const redis = await started()
    // A window of more than an hour.
    const settings = { messageRate: 0.001, messageBurst: 4 }
    const [one, two] = [await host(redis, 'AAAAAA', settings), await host(redis, 'BBBBBB', settings)]
    const takes = [one, two, one, two, one, two].map((limits) => limits.takeMessage('ann'))
    const outcomes = await Promise.allSettled(takes)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    const left = Number(await redis.cli('pttl', userKey(CLUSTER, 'ann', 'messages')))
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(4_000_000)
    await two.takeMessage('bob')
  })

  it('have a window that ends, even if it began while the clock of Redis was years ahead', async () => {
    const redis = await started()
    const limits = await host(redis, 'AAAAAA', { messageRate: 100, messageBurst: 1 })
    const key = userKey(CLUSTER, 'ann', 'messages')
    await redis.cli('set', key, '5', 'px', String(730 * 86_400_000))
    await expect(limits.takeMessage('ann')).rejects.toMatchObject(TOO_MANY)
    expect(Number(await redis.cli('pttl', key))).toBeLessThanOrEqual(10)
  })

  it('have a window that ends, even if it is shorter than a second or somebody removed its expiry', async () => {
    const redis = await started()
    const limits = await host(redis, 'AAAAAA', { messageRate: 100, messageBurst: 1 })
    await redis.cli('set', userKey(CLUSTER, 'ann', 'messages'), '5')
    const isTaken = () =>
      limits.takeMessage('ann').then(
        () => true,
        () => false,
      )
    expect(await isTaken()).toBe(false)
    for (let times = 0; times < 3; times += 1) await until(isTaken, 'more messages are allowed')
  })
})

describe('pages', () => {
  it('are counted together, apart from the messages; while Redis is unavailable they are not limited', async () => {
    const redis = await started()
    const settings = { messageRate: 0.001, messageBurst: 4 }
    const [one, two] = [await host(redis, 'AAAAAA', settings), await host(redis, 'BBBBBB', settings)]
    const takes = [one, two, one, two, one, two].map((limits) => limits.takePage('ann'))
    const outcomes = await Promise.allSettled(takes)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    await expect(one.takePage('ann')).rejects.toMatchObject(TOO_MANY)
    await one.takeMessage('ann')
    redis.pause()
    await one.takePage('ann')
    await redis.kill()
    await two.takePage('ann')
  })
})

describe('connections', () => {
  it('of other hosts count while those hosts are alive', async () => {
    const redis = await started()
    const others: string[] = []
    const one = await host(redis, 'AAAAAA', { others: ['BBBBBB'] })
    const two = await host(redis, 'BBBBBB', { others })
    await one.enter('w1', tab('1'))
    await one.enter('w2', tab('1'))
    others.push('AAAAAA')
    await expect(two.enter('w1', tab('1'))).rejects.toMatchObject(TOO_MANY)
    others.pop()
    await two.enter('w1', tab('2'))
    // One too many over all hosts now: existing connections are kept.
    await expect(one.enter('w1', tab('2'))).rejects.toMatchObject(TOO_MANY)
    one.workerGone('w1')
    one.leave('w2', tab('1'))
    await until(
      async () => (await redis.cli('hkeys', KEY)) === 'BBBBBB',
      'the first host has no connections any more',
    )
    await one.enter('w3', tab('1'))
    await expect(one.enter('w3', tab('2'))).rejects.toMatchObject(TOO_MANY)
  })

  it('that are too old, or invalid, are not counted and are removed', async () => {
    const redis = await started()
    const limits = await host(redis, 'AAAAAA', { others: ['BBBBBB', 'CCCCCC', 'DDDDDD'] })
    await redis.cli('hset', KEY, 'BBBBBB', '5 1000', 'CCCCCC', 'many', 'EEEEEE', '5 99999999999999')
    await limits.enter('w1', tab('1'))
    const kept = (await redis.cli('hkeys', KEY)).split('\n')
    expect(new Set(kept)).toEqual(new Set(['AAAAAA', 'EEEEEE']))
    expect(Number(await redis.cli('pttl', KEY))).toBeGreaterThan(0)
    await redis.cli('hset', KEY, 'DDDDDD', '1 99999999999999')
    await expect(limits.enter('w1', tab('2'))).rejects.toMatchObject(TOO_MANY)
  })
})
