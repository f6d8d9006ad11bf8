/** Signatures of stored messages when the secret changes, or is set for the first time. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { signAnew } from '../../src/log/redis/sign-anew.ts'
import { roomKey } from '../../src/redis/names.ts'
import { logSigningKeys, type SigningKeys } from '../../src/redis/signing.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'
import { edit, own, remove, text } from './log-under-test.ts'
import { type LogHost, RedisLogs } from './redis-logs.ts'

const [FIRST, SECOND, THIRD] = ['first', 'second', 'third'].map((name) => name.padEnd(32, '-')) as [
  string,
  string,
  string,
]

let redis: TestRedis
let logs: RedisLogs
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.cli('flushall')
  logs = new RedisLogs(redis.url)
})
afterEach(() => logs.dispose())

function keysOf(secret: string, ...old: string[]): SigningKeys | undefined {
  return logSigningKeys({
    clusterName: 'test',
    clusterSecret: secret,
    clusterSecretOther: undefined,
    clusterSecretOld: old.length === 0 ? undefined : old.join(','),
  })
}

const kindsOf = async ({ log }: LogHost, room = 'den') =>
  (await log.read(room, { after: 0, limit: 99 })).entries.map(({ kind }) => kind)

async function sign({ host }: LogHost, keys: SigningKeys | undefined, acceptUnsigned = false) {
  if (keys === undefined) throw new Error('no keys')
  const { connection } = host
  return signAnew({ connection, cluster: 'test', keys, acceptUnsigned, onProgress: () => undefined })
}

/** A text with an edit, a removed text with an awkward name, and the removal. */
async function write({ log }: LogHost): Promise<void> {
  const from = { id: 'c"}', name: ',"hash":"x","sig":"y","n":1' }
  await log.append('den', text('m1', ',"hash":"forged","n":'))
  await log.append('den', edit('e1', 1))
  await log.append('den', text('m2', 'removed', from))
  await log.append('den', remove('r1', 3, from))
}
const KINDS = ['text', 'edit', 'text', 'remove']
const UNREADABLE = Array.from({ length: 4 }, () => 'unreadable')

it('a former secret still verifies stored messages, and signs none', async () => {
  await write(await logs.host({ keys: keysOf(FIRST) }))
  await (await logs.host({ keys: keysOf(SECOND, FIRST) })).log.append('den', text('m3'))
  expect(await kindsOf(await logs.host({ keys: keysOf(THIRD, FIRST, SECOND) }))).toEqual([...KINDS, 'text'])
  expect(await kindsOf(await logs.host({ keys: keysOf(FIRST) }))).toEqual([...KINDS, 'unreadable'])
  expect(await kindsOf(await logs.host({ keys: keysOf(SECOND) }))).toEqual([...UNREADABLE, 'text'])
})

it('signed anew, messages need the former secret no more, and are otherwise the same', async () => {
  const before = await logs.host({ keys: keysOf(FIRST) })
  await write(before)
  const expected = await before.log.read('den', { after: 0, limit: 99 })
  expect(await sign(before, keysOf(SECOND, FIRST))).toEqual({
    rooms: 1,
    entries: 4,
    signed: 4,
    unreadable: 0,
    unreadableRooms: [],
  })
  const after = await logs.host({ keys: keysOf(SECOND) })
  expect(await after.log.read('den', { after: 0, limit: 99 })).toEqual(expected)
  expect(await sign(before, keysOf(SECOND))).toMatchObject({ signed: 0, unreadable: 0 })
  // A retry is still known as one, and the author's changes still find their target.
  expect(await after.log.append('den', text('m1', ',"hash":"forged","n":'))).toMatchObject({
    seq: 1,
    duplicate: true,
  })
  expect(await after.log.append('den', remove('r2', 1))).toMatchObject({ seq: 5, duplicate: false })
})

it('messages without a signature are signed only on request, forged ones never', async () => {
  const unsigned = await logs.host()
  await write(unsigned)
  const stored = await redis.cli('hget', roomKey('test', 'den', 'log'), '1')
  await redis.cli('hset', roomKey('test', 'den', 'log'), '1', stored.replace('forged', 'FORGED'))
  const keys = keysOf(FIRST)
  expect(await sign(unsigned, keys)).toMatchObject({ signed: 0, unreadable: 4, unreadableRooms: ['den'] })
  expect(await sign(unsigned, keys, true)).toMatchObject({ signed: 3, unreadable: 1 })
  expect(await kindsOf(await logs.host({ keys }))).toEqual(['unreadable', ...KINDS.slice(1)])
})

it('messages that were removed while they were signed stay removed', async () => {
  const host = await logs.host({ keys: keysOf(FIRST) })
  for (let n = 1; n <= 600; n += 1) void host.log.append('den', text(`m${n}`))
  await host.log.append('den', text('last'))
  const signing = sign(host, keysOf(SECOND, FIRST))
  const removals = Array.from({ length: 100 }, (_, n) => host.log.append('den', remove(`r${n}`, n * 6 + 1)))
  await Promise.all([signing, ...removals])
  await sign(host, keysOf(SECOND, FIRST))
  const read = await (await logs.host({ keys: keysOf(SECOND) })).log.read('den', { after: 0, limit: 1_000 })
  expect(read.entries).toHaveLength(701)
  const removed = read.entries.filter((entry) => entry.kind === 'text' && entry.text === undefined)
  expect(removed.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, n) => n * 6 + 1))
})

it('a room whose newest message is of a former secret has lost nothing', async () => {
  await write(await logs.host({ keys: keysOf(FIRST) }))
  const host = await logs.host({ keys: keysOf(SECOND), limits: { checkIntervalMs: 50 } })
  await host.log.watch('den')
  const { epoch } = await host.log.head('den')
  await host.log.append('den', text('m3'))
  await until(() => host.received.length > 0, 'the message is received')
  expect(host.received).toEqual([5])
  expect((await host.log.head('den')).epoch).toBe(epoch)
})

it('data of an application’s entry that was changed, or taken out, is not shown', async () => {
  const opened = await logs.host({ keys: keysOf(FIRST) })
  const { log, host } = opened
  for (const id of ['m1', 'm2', 'm3']) await log.append('den', own(id, { x: 1 }))
  expect(await sign(opened, keysOf(SECOND, FIRST))).toMatchObject({ signed: 3, unreadable: 0 })
  const key = roomKey('test', 'den', 'log')
  const stored = await host.connection.run((commands) => commands.hmget(key, '1', '2'))
  const [first = '', second = ''] = stored.map((value) => value ?? '')
  const changed = first.replace(String.raw`{\"x\":1}`, String.raw`{\"x\":2}`)
  const without = second.replace(/,"data":.*/, '}')
  expect([changed, without]).not.toEqual([first, second])
  await host.connection.run((commands) => commands.hset(key, '1', changed, '2', without))
  const reader = await logs.host({ keys: keysOf(SECOND) })
  expect(await kindsOf(reader)).toEqual(['unreadable', 'unreadable', 'doc:stroke'])
})
