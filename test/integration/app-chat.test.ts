/** The chat that an application mounts beside its own events, and the client's rooms with entries of own kinds. */
import { io } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Watch, type WatchOptions } from '../harness/client/watch.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { Network } from '../harness/network/proxy.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/chat-beside.js', import.meta.url).pathname

let rookery: RunningRookery
const watches: Watch[] = []
beforeAll(async () => {
  rookery = await startRookery({ args: ['--app', APP], env: UNLIMITED_RATES })
})
afterEach(async () => {
  for (const watched of watches.splice(0)) await watched.close()
})
afterAll(async () => {
  expect(await rookery.stop()).toBe(0)
})

function watch(name: string, options: Partial<WatchOptions> = {}): Watch {
  const watched = new Watch({
    url: rookery.url,
    name,
    namespace: '/rooms',
    room: 'doc:1',
    auth: { session: `token of ${name}` },
    ...options,
    socket: { path: '/live', ...options.socket },
  })
  watches.push(watched)
  return watched
}

test('entries of own kinds arrive once and in order, with the connection cut again and again', async () => {
  const network = await Network.to(rookery.port)
  try {
    const [ann, bob] = [watch('ann', { url: network.url, inFlight: 4 }), watch('bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    const settled: Promise<{ state: string }>[] = []
    for (let n = 1; n <= 60; n += 1) {
      settled.push(ann.room.append({ kind: 'stroke', data: { n, text: 'ü' } }).settled)
      if (n % 20 === 0) {
        network.cut()
        expect(ann.room.appending.length).toBeGreaterThan(0)
        network.mend()
        await ann.room.live()
      }
    }
    expect((await Promise.all(settled)).map(({ state }) => state)).toEqual(settled.map(() => 'sent'))
    for (const one of [ann, bob]) {
      await one.has(60)
      one.audit()
      expect(one.shown.map(({ kind, data }) => [kind, data])).toEqual(
        Array.from({ length: 60 }, (_, n) => ['stroke', { n: n + 1, text: 'ü' }]),
      )
      expect(one.room.messages).toEqual([])
      expect(one.room.unread).toBe(0)
    }
    await until(() => ann.room.appending.length === 0, 'nothing waits any more')

    const late = watch('bob', { firstPage: 5 })
    await late.room.live()
    expect(late.seqs).toEqual([56, 57, 58, 59, 60])
    expect(await late.room.loadOlder(10)).toBe(10)
    expect(late.room.entries.map(({ data }) => data)).toEqual(
      Array.from({ length: 15 }, (_, n) => ({ n: n + 46, text: 'ü' })),
    )
  } finally {
    await network.close()
  }
})

test('the application decides who joins, reads and writes, and which kinds are taken', async () => {
  const [ann, bob] = [watch('ann', { room: 'of-ann' }), watch('bob', { room: 'of-ann' })]
  await ann.room.live()
  await expect(bob.room.live()).rejects.toMatchObject({ code: 'forbidden' })
  await expect(bob.room.history()).rejects.toMatchObject({ code: 'forbidden' })
  expect((await ann.room.send('mine').settled).state).toBe('sent')
  const other = await ann.room.append({ kind: 'song', data: 1 }).settled
  expect(other).toMatchObject({ state: 'failed', failure: { code: 'forbidden' }, kind: 'song', data: 1 })

  const doc = ann.client.join('doc:2')
  expect((await doc.append({ kind: 'stroke' }).settled).state).toBe('sent')
  expect((await ann.client.join('doc:1').send('a text').settled).failure?.code).toBe('forbidden')
  for (const kind of ['text', 'pin', 'a b']) expect(() => doc.append({ kind })).toThrow(/a kind/)
  expect(() => doc.append({ kind: 'stroke', data: 'x'.repeat(70_000) })).toThrow(/at most 65536 bytes/)
  expect(() => doc.append({ kind: 'stroke', data: 1n })).toThrow(/not JSON/)

  const stranger = watch('nobody')
  const refused = new Promise((resolve) => stranger.client.on('refused', resolve))
  expect(await refused).toMatchObject({ code: 'unauthenticated' })
})

test('its own events and routes work beside, and what it appends reaches the client', async () => {
  const ann = watch('ann', { room: 'notes' })
  await ann.room.live()
  const socket = io(rookery.url, { path: '/live', forceNew: true, transports: ['websocket'] })
  const heard: unknown[] = []
  socket.onAny((event) => heard.push(event))
  try {
    expect(await socket.emitWithAck('own', 7)).toBe(7)
    expect(await socket.emitWithAck('append', 'notes', { a: [1] })).toMatchObject({ seq: 1 })
    await ann.has(1)
    expect(ann.shown).toMatchObject([{ kind: 'note', data: { a: [1] }, from: { id: 'app', name: 'App' } }])
    // The chat is in its namespace alone.
    expect(heard).toEqual([])
  } finally {
    socket.close()
  }
  expect(await (await fetch(`${rookery.url}/hello`)).text()).toBe('hello')
  expect((await fetch(`${rookery.url}/api/rooms/notes/messages`)).status).toBe(404)
})
