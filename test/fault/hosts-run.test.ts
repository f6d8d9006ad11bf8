/**
 * 60 writers in 10 rooms over three hosts of two workers each, on one Redis: undisturbed, and while Redis
 * loses publications.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { sized } from '../harness/long-run.ts'
import { crowdOver, during, sharedThreeHosts, WRITERS } from '../harness/members/three-hosts.ts'
import { until } from '../harness/until.ts'

const MESSAGES = sized(3_000, 20_000)

const three = sharedThreeHosts()

test(`${MESSAGES} messages: all members see one order without gaps, without a single reconnect`, async () => {
  const crowd = await crowdOver({ hosts: three.hosts, label: 'quiet', inFlight: 5 })
  await crowd.write(Math.ceil(MESSAGES / WRITERS))
  expect(crowd.ackedCount).toBeGreaterThanOrEqual(MESSAGES)
  await crowd.audit()
  expect(crowd.disconnects).toBe(0)
  expect(new Set(crowd.members.map(({ url, worker }) => `${url} ${worker}`)).size).toBe(6)
  expect(three.hosts.deaths()).toEqual([])
  crowd.close()
}, 600_000)

test('the subscribed connections are killed every 200 ms', async () => {
  const before = await three.hosts.metric('rookery_redis_restored_total')
  await during({ hosts: three.hosts, label: 'killed' }, async () => {
    let killed = 0
    for (let round = 0; round < 20; round += 1) {
      killed += Number(await three.redis.cli('client', 'kill', 'type', 'pubsub'))
      await delay(200)
    }
    expect(killed).toBeGreaterThanOrEqual(10)
  })
  expect(await three.hosts.metric('rookery_redis_restored_total')).toBeGreaterThan(before)
})

/** How often Redis has closed a connection because its output buffer was full. */
function overflows(): number {
  return three.redis.output.split('closed ASAP for overcoming of output buffer limits').length - 1
}

test('the output buffers of subscribed connections overflow in Redis', async () => {
  const before = overflows()
  await during({ hosts: three.hosts, label: 'full', inFlight: 10 }, async () => {
    await three.redis.cli('config', 'set', 'client-output-buffer-limit', 'pubsub 1kb 0 0')
    try {
      await until(async () => {
        // Redis sends at once everything that arrived during the pause.
        three.redis.pause()
        await delay(200)
        three.redis.resume()
        await delay(200)
        return overflows() >= before + 3
      }, 'Redis has closed subscribed connections')
    } finally {
      await three.redis.cli('config', 'set', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60')
    }
  })
})

test('Redis is paused until sends are refused', async () => {
  const crowd = await during({ hosts: three.hosts, label: 'still' }, async (writers) => {
    three.redis.pause()
    await until(() => Object.keys(writers.refusals()).length > 0, 'sends without an answer are refused')
    three.redis.resume()
  })
  expect(Object.keys(crowd.refusals())).toEqual(['unavailable'])
  // Connections are kept.
  expect(crowd.disconnects).toBe(0)
})

test('garbage on every channel in use', async () => {
  const refused = async () =>
    (await three.hosts.metric('rookery_backplane_refused_total')) +
    (await three.hosts.metric('rookery_log_refused_entries_total'))
  const before = await refused()
  const publisher = new Redis(three.redis.url)
  await during({ hosts: three.hosts, label: 'garbage' }, async () => {
    const channels = (await three.redis.cli('pubsub', 'shardchannels'))
      .split('\n')
      .filter((line) => line !== '')
    expect(channels.length).toBeGreaterThan(10)
    const writes = publisher.pipeline()
    for (const channel of channels) for (const text of GARBAGE) writes.spublish(channel, text)
    await writes.exec()
    publisher.disconnect()
    await until(
      async () => (await refused()) >= before + channels.length * GARBAGE.length,
      'all garbage is counted',
    )
  })
})

const GARBAGE = [
  'garbage',
  '',
  '{',
  '{}',
  'null',
  '[[[[[[[[',
  '{"seq":1,"epoch":"x"}',
  '{"uid":"x","nsp":"/","type":3,"data":null}',
  '\u0092\u0001',
]
