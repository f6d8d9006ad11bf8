/**
 * Two hosts, one with a clock that is an hour ahead, and a Redis whose clock jumps two years ahead and back: messages have
 * the right time, and all are kept.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { JumpingClock } from '../harness/faults/clock.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const ROOM = 'clocks'
const HOUR_S = 3_600
const TWO_YEARS_S = 730 * 86_400
const SMALL_MS = 30_000
const DIFFERENT = 'the clock of this host and that of Redis differ'
/** On a machine that was started minutes ago the time may still come from the network, and is followed. */
const JUMPED = /^the clock of Redis (has jumped|counts as put right)/

const clocks: JumpingClock[] = []
const hosts: RunningRookery[] = []
const clients: ChatClient[] = []
let redis: TestRedis
let redisClock: JumpingClock
beforeAll(async () => {
  const hostClock = await JumpingClock.open()
  redisClock = await JumpingClock.open()
  clocks.push(hostClock, redisClock)
  await hostClock.jumpTo(HOUR_S)
  redis = await startRedis({ env: redisClock.jemallocEnv })
  for (const more of [{}, hostClock.env]) {
    const env = { ...UNLIMITED_RATES, REDIS_URL: redis.url, HOST_NAME: `host-${hosts.length}`, WORKERS: '1' }
    hosts.push(await startRookery({ env: { ...env, ...more } }))
  }
  for (const { url } of hosts) clients.push(await ChatClient.guest(url, `Ada at ${url}`))
  for (const client of clients) await client.join(ROOM)
})
afterAll(async () => {
  for (const client of clients) client.close()
  for (const host of hosts) await host.kill()
  await redis?.stop()
  for (const clock of clocks) await clock.close()
})

const isNow = (at: number) => Math.abs(at - Date.now()) < SMALL_MS
const saidOf = ({ logs }: RunningRookery, message: RegExp | string) =>
  logs.filter(({ msg }) => (typeof message === 'string' ? msg.startsWith(message) : message.test(msg)))

let sent = 0
/** The times of a message of each client. */
async function sendAll(): Promise<number[]> {
  sent += 1
  const results = await Promise.all(clients.map((client, at) => client.send(ROOM, `m${sent}-${at}`)))
  return results.map(({ at }) => at)
}

test('messages of a host whose clock is an hour ahead have the right time, and it says so once', async () => {
  expect((await sendAll()).every(isNow)).toBe(true)
  const [right, ahead] = hosts
  if (right === undefined || ahead === undefined) throw new Error('two hosts')
  await until(() => saidOf(ahead, DIFFERENT).length === 1, 'the log says it')
  expect(Number(saidOf(ahead, DIFFERENT)[0]?.['aheadMs'])).toBeGreaterThan(HOUR_S * 1_000 - SMALL_MS)
  expect(saidOf(right, DIFFERENT)).toEqual([])
})

test('the clock of Redis jumps two years ahead, and back', async () => {
  await redisClock.jumpTo(TWO_YEARS_S)
  for (const host of hosts)
    await until(
      () => saidOf(host, JUMPED).length > 0,
      'the log says it',
      () => host.tail(),
    )
  const wasFollowed = hosts.some(
    (host) => !saidOf(host, JUMPED).some(({ msg }) => msg.includes('has jumped')),
  )
  expect((await sendAll()).every(isNow)).toBe(!wasFollowed)

  await redisClock.jumpTo(0)
  await until(async () => (await sendAll()).every(isNow), 'messages have the right time again')
  for (const client of clients) {
    const { messages, more } = await client.ask('room:history', { room: ROOM, limit: 100 })
    expect(messages).toHaveLength(2 * sent)
    expect(more).toBe(false)
  }
  const [, ahead] = hosts
  if (ahead !== undefined) expect(saidOf(ahead, DIFFERENT)).toHaveLength(1)
})
