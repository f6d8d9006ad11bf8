/** A Redis that answers but takes no writes: rooms without entries have lost none. */
import { expect, it, onTestFinished } from 'vitest'
import { startTestRedis } from '../harness/redis/for-test.ts'
import { until } from '../harness/until.ts'
import { refused, text } from './log-under-test.ts'
import { type LogHost, RedisLogs } from './redis-logs.ts'

const CHECK_OFTEN = { limits: { checkIntervalMs: 20 } }
const LOOKS = 5

const epochOf = async ({ log }: LogHost, room: string) => (await log.head(room)).epoch

it.each([
  ['is full', ['config', 'set', 'maxmemory', '1'], ['config', 'set', 'maxmemory', '0']],
  [
    'lacks replicas',
    ['config', 'set', 'min-replicas-to-write', '1'],
    ['config', 'set', 'min-replicas-to-write', '0'],
  ],
])('a Redis that %s gives a new room one epoch, which it keeps', async (_what, close, open) => {
  const redis = await startTestRedis()
  const logs = new RedisLogs(redis.url)
  onTestFinished(() => logs.dispose())
  const [a, b] = [await logs.host(CHECK_OFTEN), await logs.host(CHECK_OFTEN)]
  await a.log.head('known')
  await redis.cli(...close)
  for (const { log } of [a, b]) await log.watch('den')
  const epochs = new Set<string>()
  for (let look = 0; look < LOOKS; look += 1) {
    for (const host of [a, b]) epochs.add(await epochOf(host, 'den')).add(await epochOf(host, 'attic'))
  }
  expect(epochs.size).toBe(1)
  for (const room of ['den', 'known'])
    await expect(a.log.append(room, text('m1'))).rejects.toEqual(refused('unavailable'))
  await redis.cli(...open)
  for (let look = 0; look < LOOKS; look += 1) {
    for (const host of [a, b]) epochs.add(await epochOf(host, 'den'))
  }
  await b.log.append('den', text('m1'))
  await until(() => a.received.length > 0 && b.received.length > 0, 'both receive it')
  expect([a.received, b.received]).toEqual([[1], [1]])
  expect([...epochs]).toEqual([await epochOf(a, 'den')])
  for (const host of [a, b]) expect(await host.metric('rookery_log_resets_total')).toBe(0)
})

it('a host that has not looked meanwhile may begin the room: the others go over to its log without a loss', async () => {
  const redis = await startTestRedis()
  const logs = new RedisLogs(redis.url)
  onTestFinished(() => logs.dispose())
  const [a, b] = [await logs.host(), await logs.host()]
  await redis.cli('config', 'set', 'maxmemory', '1')
  await a.log.watch('den')
  await redis.cli('config', 'set', 'maxmemory', '0')
  await b.log.append('den', text('m1'))
  await until(() => a.received.length > 0, 'the room has another log')
  await b.log.append('den', text('m2'))
  await until(() => a.received.length > 1, 'its next message is received')
  expect(a.received).toEqual(['reset 1', 2])
  expect(await a.metric('rookery_log_resets_total')).toBe(0)
})
