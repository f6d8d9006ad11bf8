/** The log on a real Redis whose clock jumps two years ahead and back. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { systemReadings } from '../../src/core/steady-time.ts'
import { clusterKey } from '../../src/redis/names.ts'
import { ServerClock } from '../../src/redis/server-clock.ts'
import { JumpingClock } from '../harness/faults/clock.ts'
import type { RedisHost } from '../harness/redis/host-connection.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'
import { text } from './log-under-test.ts'
import { type LogHost, RedisLogs } from './redis-logs.ts'

const HOUR_MS = 3_600_000
const TWO_YEARS_S = 730 * 86_400
const SMALL_MS = 30_000

let clock: JumpingClock
let redis: TestRedis
let logs: RedisLogs
beforeAll(async () => {
  clock = await JumpingClock.open()
  redis = await startRedis({ env: clock.jemallocEnv })
  logs = new RedisLogs(redis.url)
})
afterAll(async () => {
  await logs?.dispose()
  await redis?.stop()
  await clock?.close()
})
beforeEach(async () => {
  await jumpTo(0)
  await redis.cli('flushall')
})

const redisAheadMs = async () => Number((await redis.cli('time')).split('\n')[0]) * 1_000 - Date.now()

async function jumpTo(seconds: number): Promise<void> {
  await clock.jumpTo(seconds)
  const isThere = async () => Math.abs((await redisAheadMs()) - seconds * 1_000) < SMALL_MS
  await until(isThere, 'the clock of Redis has jumped')
}

/** What a host knows that has polled the clock of Redis for an hour. */
async function knownForAnHour({ connection }: RedisHost): Promise<ServerClock> {
  let laterMs = HOUR_MS
  const steady = new ServerClock({
    ask: async () => [await connection.run((commands) => commands.time())],
    logger: { warn: () => undefined },
    onEvent: () => undefined,
    readings: {
      ...systemReadings,
      passed: () => systemReadings.passed() + laterMs,
      uptime: () => systemReadings.uptime() + laterMs,
    },
  })
  await jumpTo(-HOUR_MS / 1_000)
  const isKnown = () => steady.poll().then(() => steady.now() !== undefined)
  await until(isKnown, 'the clock of Redis is known')
  await jumpTo(0)
  laterMs += HOUR_MS
  await steady.poll()
  expect(steady.canJudgeAges()).toBe(true)
  return steady
}

const isNow = (at: number) => Math.abs(at - Date.now()) < SMALL_MS

it('gives the right times, and deletes nothing', async () => {
  const first = await logs.host()
  const steady = await knownForAnHour(first.host)
  const { log } = await logs.host({ clock: steady })
  expect(isNow((await log.append('den', text('m1'))).at)).toBe(true)

  await jumpTo(TWO_YEARS_S)
  // Before the host has noticed, and after that.
  expect(isNow((await log.append('den', text('m2'))).at)).toBe(true)
  await log.sweep()
  await steady.poll()
  expect(isNow((await log.append('den', text('m3'))).at)).toBe(true)
  await log.sweep()

  await jumpTo(0)
  expect(isNow((await log.append('den', text('m4'))).at)).toBe(true)
  await steady.poll()
  await log.sweep()
  const { first: oldest, entries } = await log.read('den', { newest: true, limit: 9 })
  expect([oldest, entries.map(({ id }) => id)]).toEqual([1, ['m1', 'm2', 'm3', 'm4']])
})

it('deletes nothing and is right again also when no host knows the time from before', async () => {
  await jumpTo(TWO_YEARS_S)
  const { log } = await logs.host()
  const ahead = await log.append('den', text('m1'))
  expect(isNow(ahead.at)).toBe(false)
  await jumpTo(0)
  const later = await logs.host()
  expect(isNow((await later.log.append('den', text('m2'))).at)).toBe(true)
  await jumpTo(TWO_YEARS_S)
  await later.log.append('den', text('m3'))
  await later.log.sweep()
  await jumpTo(0)
  let n = 4
  const isRight = async () => isNow((await later.log.append('den', text(`m${n++}`))).at)
  await until(isRight, 'messages get the right time again')
  expect(await later.log.head('den')).toMatchObject({ first: 1 })
})

it('sweeps on although the last lease was taken while the clock of Redis was ahead', async () => {
  const terms = { retention: { messages: 1, days: 365 }, limits: { sweepIntervalMs: 200 } }
  const all: LogHost = await logs.host({ limits: { sweepIntervalMs: HOUR_MS } })
  for (const id of ['m1', 'm2', 'm3']) await all.log.append('den', text(id))
  await redis.cli('set', clusterKey('test', 'sweep'), '1', 'px', String(TWO_YEARS_S * 1_000))
  const { log } = await logs.host(terms)
  await until(async () => (await log.head('den')).first === 3, 'old entries are trimmed')
})
