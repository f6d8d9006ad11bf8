/** Rooms with a log for an application, with entries of its own kinds, over workers and hosts. */
import { io, type Socket } from 'socket.io-client'
import { afterEach, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { startRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/drawings.js', import.meta.url).pathname

const sockets: Socket[] = []
const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  for (const one of started.splice(0).toReversed()) await one.stop()
})

async function startHost(env: Record<string, string> = {}): Promise<RunningRookery> {
  const host = await startRookery({ args: ['--app', APP], env })
  started.push(host)
  return host
}

async function connect(url: string, id: string): Promise<{ socket: Socket; worker: string }> {
  const socket = io(url, { auth: { id }, forceNew: true, transports: ['websocket'] })
  sockets.push(socket)
  return { socket, worker: await socket.emitWithAck('worker') }
}

async function connectElsewhere(url: string, id: string, worker: string): Promise<Socket> {
  for (;;) {
    const other = await connect(url, id)
    if (other.worker !== worker) return other.socket
  }
}

/** What a client appends reaches a follower elsewhere, in order, and is read back by both. */
async function drawTogether(ann: Socket, bob: Socket): Promise<void> {
  const followed: { seq: number; kind: string; data?: unknown }[] = []
  bob.on('entries', (entries: typeof followed) => void followed.push(...entries))
  await bob.emitWithAck('follow', 'doc:1')
  const drawn = Array.from({ length: 20 }, (_, n) => ({
    kind: n % 5 === 4 ? 'cleared' : 'stroke',
    id: `s${n}`,
    ...(n % 5 === 4 ? {} : { data: { line: [n, n + 1], text: 'ü', kind: 'text' } }),
  }))
  for (const [n, entry] of drawn.entries())
    expect(await ann.emitWithAck('append', 'doc:1', entry)).toMatchObject({ seq: n + 1, duplicate: false })
  expect(await ann.emitWithAck('append', 'doc:1', drawn[3])).toMatchObject({ seq: 4, duplicate: true })
  expect(await ann.emitWithAck('append', 'doc:1', { ...drawn[3], data: 1 })).toMatchObject({
    code: 'conflict',
  })
  await until(() => followed.length >= drawn.length, 'the follower has all entries')

  const expected = drawn.map((entry, n) => ({
    ...entry,
    room: 'doc:1',
    seq: n + 1,
    from: { id: 'ann', name: 'ann' },
    at: expect.any(Number),
  }))
  expect(followed).toEqual(expected)
  for (const socket of [ann, bob]) {
    const page = await socket.emitWithAck('read', 'doc:1', { after: 0, limit: 50 })
    expect(page).toMatchObject({ head: 20, first: 1, more: false })
    expect(page.entries).toEqual(expected)
  }
}

test('entries of own kinds pass between workers, and what is none is refused', async () => {
  const host = await startHost()
  const { socket: ann, worker } = await connect(host.url, 'ann')
  await drawTogether(ann, await connectElsewhere(host.url, 'bob', worker))

  const append = (entry: object) => ann.emitWithAck('append', 'doc:2', entry)
  expect(await append({ kind: 'pin', data: 1 })).toMatchObject({ code: 'bad_request' })
  expect(await append({ kind: 'stroke', data: 'x'.repeat(70_000) })).toMatchObject({ code: 'too_large' })
  expect(await append({ kind: 'stroke', text: 'x' })).toMatchObject({ code: 'bad_request' })
  expect(await append({ kind: 'stroke', from: { id: '' } })).toMatchObject({ code: 'bad_request' })
  expect(await append({ kind: 'stroke', data: 'x'.repeat(65_000) })).toMatchObject({ seq: 1 })
})

test('a room or a range that can be none is refused, and concerns nobody else', async () => {
  const host = await startHost({ WORKERS: '1' })
  const { socket: ann } = await connect(host.url, 'ann')
  await ann.emitWithAck('append', 'doc:1', { kind: 'stroke' })
  const refused = { code: 'bad_request', message: expect.not.stringContaining('\n') }
  for (const room of ['x'.repeat(5_000), {}, ['doc:1'], '', 'X Y', null, 5]) {
    for (const answer of [
      await ann.emitWithAck('read', room, { after: 0, limit: 5 }),
      await ann.emitWithAck('follow', room),
      await ann.emitWithAck('append', room, { kind: 'stroke' }),
    ])
      expect(answer, JSON.stringify(room)).toMatchObject(refused)
  }
  for (const range of [
    undefined,
    null,
    {},
    { after: 0 },
    { newest: true },
    { after: null, limit: 5 },
    { after: {}, limit: 5 },
    { after: 0, limit: 1e12 },
    { after: 0, limit: -3 },
    { after: 0, before: 3, limit: 5 },
  ])
    expect(await ann.emitWithAck('read', 'doc:1', range), JSON.stringify(range)).toMatchObject(refused)
  for (const entry of [null, 'x', undefined])
    expect(await ann.emitWithAck('append-raw', 'doc:1', entry)).toMatchObject(refused)
  expect(await ann.emitWithAck('follow-with', 'doc:1', {})).toMatchObject(refused)
  expect(await ann.emitWithAck('read', 'doc:1', { after: 0, limit: 5 })).toMatchObject({ head: 1 })
})

test('entries of own kinds pass between hosts', async () => {
  const redis = await startRedis()
  started.push(redis)
  const env = { REDIS_URL: redis.url, WORKERS: '1' }
  const [one, other] = [await startHost(env), await startHost(env)]
  await drawTogether((await connect(one.url, 'ann')).socket, (await connect(other.url, 'bob')).socket)
})
