/** Everything that one turn of the event loop sends to Redis is written together, in the order of the calls. */
import { expect, it } from 'vitest'
import { openTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import type { TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const MANY = 200

const reads = async (redis: TestRedis) =>
  Number(/total_reads_processed:(\d+)/.exec(await redis.cli('info', 'stats'))?.[1])

async function connect() {
  const redis = await startTestRedis()
  const host = openTestConnection({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '30000' })
  await host.untilWell()
  return { redis, connection: host.connection }
}

it('publications and commands of one turn are read by Redis at once, and delivered in order', async () => {
  const { redis, connection } = await connect()
  const heard: string[] = []
  await connection.subscriptions.subscribe('{c}:said', (message) => heard.push(message.toString()))

  const before = await reads(redis)
  const said = Array.from({ length: MANY }, (_, nth) =>
    nth % 2 === 0
      ? connection.spublish('{c}:said', `${nth}`)
      : connection.run((commands) => commands.spublish('{c}:said', `${nth}`)),
  )
  await Promise.all(said)
  // Those of redis-cli, and a ping now and then, are among them.
  expect((await reads(redis)) - before).toBeLessThan(MANY / 20)
  await until(() => heard.length === MANY, 'all are heard')
  expect(heard).toEqual(Array.from({ length: MANY }, (_, nth) => String(nth)))
})

it('commands that wait when the connection is lost are refused, and those on the next connection are sent', async () => {
  const { connection } = await connect()
  const held = connection.spublish('{c}:said', 'held')
  if ('stream' in connection.commands) connection.commands.stream.destroy()
  await expect(held).rejects.toThrow()
  await until(
    () =>
      connection
        .run((commands) => commands.ping())
        .then(
          () => true,
          () => false,
        ),
    'it is answered again',
  )
})
