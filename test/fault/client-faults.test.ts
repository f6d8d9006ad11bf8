/** The client with real servers and networks that fail: each message once, in order, and the right state. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryStorage } from '../../src/client/sending/storage.ts'
import type { Watch } from '../harness/client/watch.ts'
import { WatchedServer } from '../harness/client/watched-server.ts'
import { startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let server: WatchedServer

beforeEach(async () => {
  server = await WatchedServer.start()
})

afterEach(async () => {
  vi.useRealTimers()
  await server.close()
})

async function allHave(count: number): Promise<void> {
  await Promise.all(server.watches.map((one) => one.has(count)))
  for (const one of server.watches) one.audit()
}

/** The texts of one author, in the order of the log. */
function textsOf(reader: Watch, author: Watch): (string | undefined)[] {
  return reader.shown.filter(({ from }) => from.id === author.client.user?.id).map(({ text }) => text)
}

describe('a worker dies under load', () => {
  it('it loses and duplicates no message, and keeps the order of each author', async () => {
    const crowd = Array.from({ length: 6 }, (_, index) => server.watch(`member-${index}`))
    await Promise.all(crowd.map(({ room }) => room.live()))
    const perMember = 120
    const sent = crowd.map((one) => Array.from({ length: perMember }, (_, i) => one.room.send(`${i}`)))
    const settled = sent.flatMap((list) => list.map((message) => message.settled))
    await settled[40]
    server.rookery.killWorker(0)
    await settled[80]
    await until(() => server.rookery.workerPids().length === 2, 'two workers run again')
    server.rookery.killWorker(0)
    expect((await Promise.all(settled)).filter(({ state }) => state !== 'sent')).toEqual([])
    await allHave(perMember * crowd.length)
    expect(crowd.some(({ states }) => states.includes('offline'))).toBe(true)
    const asWritten = Array.from({ length: perMember }, (_, i) => `${i}`)
    for (const author of crowd) expect(textsOf(crowd[0] ?? author, author)).toEqual(asWritten)
    expect(crowd[0]?.shown).toHaveLength(perMember * crowd.length)
  })

  it('the client leaves it before it exits, when the worker announces it', async () => {
    const crowd = Array.from({ length: 6 }, (_, index) => server.watch(`member-${index}`))
    await Promise.all(crowd.map(({ room }) => room.live()))
    server.rookery.signal('SIGHUP')
    let sent = 0
    while (server.rookery.countLogs('worker left') < 2) {
      await Promise.all(crowd.map(({ room }) => room.send(`${sent}`).settled))
      sent += 1
    }
    await allHave(sent * crowd.length)
    expect(crowd[0]?.shown).toHaveLength(sent * crowd.length)
  })
})

describe('a client that is offline for a while', () => {
  it("keeps its user's messages, and receives those of the others", async () => {
    const [ann, bob] = [server.watchOverNetwork('Ann'), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    server.network.cut()
    await until(() => ann.client.state.state === 'offline', 'the client is offline')
    const written = Array.from({ length: 5 }, (_, i) => ann.room.send(`ann ${i}`))
    expect(ann.room.messages.map(({ state }) => state)).toEqual(written.map(() => 'pending'))
    expect(ann.client.state).toMatchObject({ state: 'offline', waiting: 5 })
    const missed = 450
    await Promise.all(Array.from({ length: missed }, (_, i) => bob.room.send(`bob ${i}`).settled))
    server.network.mend()
    await Promise.all(written.map(({ settled }) => settled))
    await allHave(missed + written.length)
    expect(textsOf(bob, ann)).toEqual(written.map(({ text }) => text))
    expect(ann.shown).toHaveLength(missed + written.length)
    expect(ann.resets).toEqual([])
  })

  it('disconnects and reconnects many times, and loses nothing', async () => {
    const [ann, bob] = [server.watchOverNetwork('Ann'), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    for (let round = 0; round < 10; round += 1) {
      for (const { room } of [ann, bob]) for (let i = 0; i < 10; i += 1) room.send(`${round}.${i}`)
      server.network.breakAll()
      await until(() => ann.client.state.state === 'online', 'the client is online again')
    }
    await until(() => ann.client.state.waiting + bob.client.state.waiting === 0, 'all messages are sent')
    await allHave(200)
    expect(textsOf(bob, ann)).toEqual(
      Array.from({ length: 100 }, (_, i) => `${Math.floor(i / 10)}.${i % 10}`),
    )
  })
})

describe('a room that is left and joined again while offline', () => {
  it('is joined when the client reconnects', async () => {
    const [ann, bob] = [server.watchOverNetwork('Ann'), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    server.network.cut()
    await until(() => ann.client.state.state === 'offline', 'the client is offline')
    const left = ann.room.leave()
    const again = ann.client.join('lobby')
    server.network.mend()
    await left
    await again.live()
    await bob.room.send('still there?').settled
    await until(() => again.lastSeq === 1, 'the room receives the message')
    expect((await ann.client.rooms()).map(({ room }) => room)).toEqual(['lobby'])
    expect(await again.send('yes').settled).toMatchObject({ state: 'sent' })
  })
})

describe('an ack that is lost after the log stored the message', () => {
  it('leaves one message, which becomes sent', async () => {
    const [ann, bob] = [server.watchOverNetwork('Ann', { ackTimeoutMs: 500 }), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    server.network.loseAnswers()
    const message = ann.room.send('once')
    await bob.has(1)
    expect(ann.room.messages).toMatchObject([{ state: 'pending', text: 'once' }])
    expect(await message.settled).toMatchObject({ state: 'sent' })
    await allHave(1)
    expect(ann.room.messages).toMatchObject([{ id: message.id, state: 'sent', seq: 1 }])
    const after = await bob.room.send('after').settled
    await allHave(2)
    expect(after).toMatchObject({ state: 'sent' })
  })
})

describe('a slow link', () => {
  it('only delays messages', async () => {
    server.network.slow(60)
    const [ann, bob] = [server.watchOverNetwork('Ann', { inFlight: 8 }), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    const written = [ann, bob].flatMap(({ room }) => Array.from({ length: 40 }, (_, i) => room.send(`${i}`)))
    await Promise.all(written.map(({ settled }) => settled))
    await allHave(80)
    expect(textsOf(bob, ann)).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`))
  })
})

describe('a reload with waiting sends', () => {
  it('sends them, once and in order, before new ones', async () => {
    const storage = memoryStorage()
    const ann = server.watchOverNetwork('Ann', { storage, ackTimeoutMs: 500 })
    const bob = server.watch('Bob')
    await Promise.all([ann.room.live(), bob.room.live()])
    server.network.loseAnswers()
    ann.room.send('stored, ack lost')
    await bob.has(1)
    server.network.cut()
    for (const text of ['second', 'third']) ann.room.send(text)
    await ann.close()
    expect(await storage.load()).toHaveLength(3)

    server.network.mend()
    const again = server.watchOverNetwork('Ann', { storage })
    again.room.send('fourth')
    await again.client.loaded()
    expect(again.room.messages.at(-1)).toMatchObject({ text: 'fourth', state: 'pending' })
    await bob.has(4)
    await until(() => again.client.state.waiting === 0, 'all messages are sent')
    await again.has(4)
    for (const one of [bob, again]) one.audit()
    expect(bob.texts()).toEqual(['stored, ack lost', 'second', 'third', 'fourth'])
    expect(again.texts()).toEqual(bob.texts())
    await again.close()
    expect(await storage.load()).toEqual([])
  })

  it('does not send them as another user', async () => {
    const storage = memoryStorage()
    const ann = server.watchOverNetwork('Ann', { storage })
    await ann.room.live()
    server.network.cut()
    ann.room.send('mine')
    await ann.close()
    const bob = server.watch('Bob', { storage })
    await bob.room.live()
    await until(() => bob.room.messages[0]?.state === 'failed', 'the message has failed')
    expect(bob.room.messages).toMatchObject([{ text: 'mine', failure: { code: 'other_user' } }])
    expect(bob.room.lastSeq).toBe(0)
    bob.room.messages[0]?.failure?.discard()
    expect(bob.room.messages).toEqual([])
    await bob.close()
    expect(await storage.load()).toEqual([])
  })
})

describe('another log under the same address', () => {
  it('starts over, reports it, and still sends the waiting messages', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'rookery-epoch-'))
    const ann = server.watchOverNetwork('Ann')
    await ann.room.live()
    for (let i = 0; i < 10; i += 1) await ann.room.send(`old ${i}`).settled
    await ann.has(10)
    const { port } = server.rookery
    server.network.cut()
    expect(await server.rookery.stop()).toBe(0)
    server.rookery = await startRookery({
      env: { ...UNLIMITED_RATES, PORT: String(port), DATA_DIR: dataDir },
    })
    try {
      const waiting = ann.room.send('new')
      server.network.mend()
      expect(await waiting.settled).toMatchObject({ state: 'sent' })
      await ann.has(1)
      await until(() => ann.room.state === 'live', 'the room is live')
      await until(() => ann.texts().length === 1, 'the room shows only the new log')
      expect(ann.resets).toEqual(['epoch'])
      expect(ann.room.messages).toMatchObject([{ seq: 1, text: 'new', state: 'sent' }])
      ann.audit()
    } finally {
      await server.closeWatches()
      await rm(dataDir, { recursive: true, force: true })
    }
  })
})

describe('a clock that jumps', () => {
  it('delays no retry', async () => {
    const [ann, bob] = [server.watchOverNetwork('Ann', { ackTimeoutMs: 1_000 }), server.watch('Bob')]
    await Promise.all([ann.room.live(), bob.room.live()])
    const start = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: start })
    const texts: string[] = []
    for (const jumpMs of [86_400_000, -86_400_000, 3_600_000]) {
      server.network.cut()
      await until(() => ann.client.state.state === 'offline', 'the client is offline')
      const text = `after ${jumpMs}`
      texts.push(text)
      const message = ann.room.send(text)
      vi.setSystemTime(start + jumpMs)
      server.network.mend()
      expect(await message.settled).toMatchObject({ state: 'sent' })
    }
    vi.useRealTimers()
    await allHave(texts.length)
    expect(bob.texts()).toEqual(texts)
  })
})
