/**
 * The clock of one of two hosts jumps by an hour, forward and back, under load: nothing is lost or late, and
 * no host is considered dead.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { JumpingClock } from '../harness/faults/clock.ts'
import { underLoad, untilMoreAcked } from '../harness/members/under-load.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const HOUR_S = 3_600
const ROOM = 'clocks'

let clock: JumpingClock
let redis: TestRedis
const hosts: RunningRookery[] = []

beforeAll(async () => {
  clock = await JumpingClock.open()
  redis = await startRedis({ appendonly: 'always' })
  for (const more of [clock.env, {}])
    hosts.push(
      await startRookery({
        env: {
          ...UNLIMITED_RATES,
          REDIS_URL: redis.url,
          CLUSTER_SECRET: 'a secret of more than thirty-two bytes',
          HOST_NAME: `host-${hosts.length}`,
          WORKERS: '1',
          ...more,
        },
      }),
    )
  for (const host of hosts) await until(async () => (await othersOf(host)) === 1, 'the hosts know each other')
})

afterAll(async () => {
  for (const host of hosts) await host.kill()
  await redis?.stop()
  await clock?.close()
})

async function othersOf({ adminUrl }: RunningRookery): Promise<number> {
  const status = (await (await fetch(`${adminUrl}/status`)).json()) as { hosts: unknown[] }
  return status.hosts.length
}

/** How far the clock of the host's worker is ahead, measured from an answer. */
async function aheadMs({ url }: RunningRookery): Promise<number> {
  const { headers } = await fetch(url)
  return Date.parse(String(headers.get('date'))) - Date.now()
}

test('the clock jumps an hour forward, two back, and returns', async () => {
  const [jumping, steady] = hosts
  if (jumping === undefined || steady === undefined) throw new Error('two hosts')
  const present = await Promise.all(
    [jumping, steady].map(({ url }, at) => ChatClient.guest(url, `Present at ${at}`)),
  )
  try {
    for (const client of present) await client.join(ROOM)
    const urls = [jumping.url, steady.url]
    const crowd = await underLoad({ url: urls, label: 'clock-' }, async (writers) => {
      for (const seconds of [HOUR_S, -HOUR_S, 0]) {
        await clock.jumpTo(seconds)
        await until(
          async () => Math.abs((await aheadMs(jumping)) - seconds * 1_000) < HOUR_S * 500,
          'the clock has jumped',
        )
        await untilMoreAcked(writers)
      }
    })
    expect(crowd.disconnects).toBe(0)
    expect(crowd.refusals()).toEqual({})
    for (const client of present)
      expect((await client.ask('room:members', { room: ROOM })).count).toBe(present.length)
    expect(present.flatMap(({ disconnects }) => disconnects)).toEqual([])
    for (const host of hosts) expect(await othersOf(host)).toBe(1)
  } finally {
    for (const client of present) client.close()
  }
})
