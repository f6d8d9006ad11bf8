/** Everything that one turn of the event loop sends to Redis is written together, in the order of the calls. */
import type { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { openTestConnection, startTestRedis } from '../harness/redis/for-test.ts'
import { until } from '../harness/until.ts'

const MANY = 200

/**
 * Counts the writes of a stream to the system: Redis' own count of reads is less exact, as it reads whatever
 * has arrived.
 */
function countWrites(stream: Writable): () => number {
  let writes = 0
  for (const name of ['_write', '_writev'] as const) {
    const write: unknown = Reflect.get(stream, name)
    if (typeof write !== 'function') throw new Error(`the stream has no ${name}`)
    Reflect.set(stream, name, (...given: unknown[]) => {
      writes += 1
      Reflect.apply(write, stream, given)
    })
  }
  return () => writes
}

async function connect() {
  const redis = await startTestRedis()
  const host = openTestConnection({ REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '30000' })
  await host.untilWell()
  return host.connection
}

it('publications and commands of one turn are one write, and delivered in order', async () => {
  const connection = await connect()
  const heard: string[] = []
  await connection.subscriptions.subscribe('{c}:said', (message) => heard.push(message.toString()))

  if (!('stream' in connection.commands)) throw new Error('this Redis is one server')
  const writes = countWrites(connection.commands.stream)
  const said = Array.from({ length: MANY }, (_, nth) =>
    nth % 2 === 0
      ? connection.spublish('{c}:said', `${nth}`)
      : connection.run((commands) => commands.spublish('{c}:said', `${nth}`)),
  )
  await Promise.all(said)
  // Some of these writes are pings.
  expect(writes()).toBeLessThan(MANY / 20)
  await until(() => heard.length === MANY, 'all messages arrive')
  expect(heard).toEqual(Array.from({ length: MANY }, (_, nth) => String(nth)))
})

it('commands that wait when the connection is lost are refused, and those on the next connection are sent', async () => {
  const connection = await connect()
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
    'Redis answers again',
  )
})
