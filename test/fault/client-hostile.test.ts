/** The client against a server that misbehaves on purpose: it shows the truth, or says that it can't tell. */
import { afterEach, expect, it } from 'vitest'
import type { Entry } from '../../src/client/connection/guards.ts'
import { memoryStorage } from '../../src/client/sending/storage.ts'
import { type Hooks, HostileServer } from '../harness/client/hostile-server.ts'
import { Watch, type WatchOptions } from '../harness/client/watch.ts'
import { until } from '../harness/until.ts'

let server: HostileServer
let watches: Watch[] = []

async function start(hooks: Partial<Hooks> = {}): Promise<void> {
  server = await HostileServer.start(hooks)
}

async function watch(options: Partial<WatchOptions> = {}): Promise<Watch> {
  const one = new Watch({ url: server.url, name: 'Ann', retryMaxMs: 100, ackTimeoutMs: 200, ...options })
  watches.push(one)
  await until(() => one.client.state.state === 'online', 'it is online')
  return one
}

afterEach(async () => {
  await Promise.all(watches.map((one) => one.close()))
  watches = []
  await server.close()
})

/** A pseudo-random number from 0 up to 1 that is the same at each run. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

it('puts right what is doubled, swapped and dropped', async () => {
  const random = dice(7)
  const held: Entry[] = []
  await start({
    live: (entry) => {
      const roll = random()
      if (roll < 0.2) return []
      if (roll < 0.4) return [entry, entry]
      if (roll < 0.6) {
        held.push(entry)
        return []
      }
      return [entry, ...held.splice(0)]
    },
  })
  const ann = await watch()
  await ann.room.live()
  for (let i = 0; i < 300; i += 1) {
    server.write(`${i}`)
    if (i % 10 === 0) ann.room.send(`own ${i}`)
    if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  server.tell('gap', { room: 'lobby', from: 1, to: server.head })
  await until(() => ann.client.state.waiting === 0, 'all is sent')
  await until(() => ann.room.lastSeq === server.head && ann.room.state === 'live', 'it has all')
  ann.audit()
  expect(ann.shown).toEqual(server.log)
  expect(server.log).toHaveLength(330)
})

it('says so when it finds out that two messages were swapped', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  const held: Entry[] = []
  server.hooks.live = (entry) => {
    held.push(entry)
    const [one, two] = held
    if (one === undefined || two === undefined) return []
    return [
      { ...two, seq: one.seq },
      { ...one, seq: two.seq },
    ]
  }
  for (const text of ['one', 'two']) server.write(text)
  await ann.has(2)
  expect(ann.texts()).toEqual(['two', 'one'])
  expect(ann.doubts).toEqual([])
  server.hooks.live = (entry) => [entry]
  // Nothing it was told until now says otherwise; the log itself does.
  server.tell('message', server.log[0])
  await until(() => ann.doubts.length > 0, 'it doubts')
  expect(ann.doubts).toEqual([{ reason: 'contradiction', seq: 1 }])
})

it('gets all of it by joining, when history is always of another log', async () => {
  await start({
    live: (entry) => (entry.seq % 3 === 0 ? [entry] : []),
    answer: (event, answer) => (event === 'room:history' ? { ...answer, epoch: 'another' } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  for (let i = 1; i <= 30; i += 1) server.write(`${i}`)
  await until(() => ann.room.lastSeq === 30 && ann.room.state === 'live', 'it has all')
  expect(ann.shown).toEqual(server.log)
  expect(ann.resets).toEqual([])
})

it('says what it can not get, and goes on', async () => {
  await start({
    live: (entry) => (entry.seq === 3 || entry.seq === 4 ? [] : [entry]),
    answer: (_event, answer) => {
      if (!Array.isArray(answer.messages)) return answer
      const messages = (answer.messages as Entry[]).filter(({ seq }) => seq !== 3 && seq !== 4)
      return { ...answer, messages }
    },
  })
  const ann = await watch()
  await ann.room.live()
  for (let i = 1; i <= 6; i += 1) server.write(`${i}`)
  await ann.has(6)
  expect(ann.seqs).toEqual([1, 2, 5, 6])
  expect(ann.doubts).toEqual([{ reason: 'missing', from: 3, to: 4 }])
  expect(ann.room.doubt).toEqual({ reason: 'missing', from: 3, to: 4 })
})

it('says that a gap of what there never was can not be filled, and stays live', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.tell('gap', { room: 'lobby', from: 1, to: 1e15 })
  await until(() => ann.doubts.length > 0, 'it doubts')
  expect(ann.doubts).toEqual([{ reason: 'missing', from: 1, to: 1e15 }])
  server.write('real')
  await ann.has(1)
  expect(ann.texts()).toEqual(['real'])
})

it('says that two messages came under one number', async () => {
  await start({ live: (entry) => [entry, { ...entry, id: 'forged', text: 'forged' }] })
  const ann = await watch()
  await ann.room.live()
  server.write('true')
  await until(() => ann.doubts.length > 0, 'it doubts')
  expect(ann.doubts).toEqual([{ reason: 'contradiction', seq: 1 }])
  expect(ann.texts()).toEqual(['true'])
})

it('says that it can not tell which log it is, when each answer names another', async () => {
  let epochs = 0
  await start({
    answer: (event, answer) => {
      if (!('epoch' in answer)) return answer
      epochs += 1
      return { ...answer, epoch: `epoch-${epochs}`, ...(event === 'room:join' ? { head: 9 } : {}) }
    },
  })
  for (const text of ['one', 'two', 'three']) server.write(text)
  const ann = await watch()
  await until(() => ann.doubts.some(({ reason }) => reason === 'epoch'), 'it doubts')
  expect(ann.room.state).not.toBe('live')
})

it('shows the log after it was lost, and sends again what it had acked alone', async () => {
  await start({ live: () => [] })
  const ann = await watch()
  await ann.room.live()
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  server.loseLog('epoch-2')
  server.hooks.live = (entry) => [entry]
  server.io.disconnectSockets(true)
  await until(() => ann.resets.length > 0, 'it begins anew')
  await until(() => ann.room.lastSeq === 1, 'it is there again')
  expect(ann.resets).toEqual(['epoch'])
  expect(ann.texts()).toEqual(['acked'])
  expect(server.log.map(({ text }) => text)).toEqual(['acked'])
})

it('begins anew when it is told of another log while it is connected, and mixes nothing of the two', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  for (let i = 1; i <= 5; i += 1) server.write(`old ${i}`)
  await ann.has(5)
  expect(await ann.room.send('acked, never to be seen again').settled).toMatchObject({ state: 'sent' })
  await ann.has(6)
  server.loseLog('epoch-2')
  server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 0 })
  // Before the client can have joined again: one under a number that it has, and one that would follow.
  for (let i = 1; i <= 7; i += 1) server.write(`new ${i}`)
  await until(() => ann.room.lastSeq === 7 && ann.room.state === 'live', 'it shows the new log')
  expect(ann.resets).toEqual(['epoch'])
  expect(ann.shown).toEqual(server.log)
  expect(ann.states.filter((state) => state === 'offline')).toEqual([])
  expect(await ann.room.send('in the new one').settled).toMatchObject({ state: 'sent' })
  await ann.has(8)
  ann.audit()
  server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 8 })
  server.write('the last')
  await ann.has(9)
  expect([ann.resets, server.count('room:join')]).toEqual([['epoch'], 2])
})

it('sends again what another log had acked and not shown', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.hooks.live = () => []
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  server.loseLog('epoch-2')
  server.hooks.live = (entry) => [entry]
  server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 0 })
  await until(() => ann.resets.length > 0 && ann.room.lastSeq === 1, 'it is there again')
  expect(server.log.map(({ text }) => text)).toEqual(['acked'])
  ann.audit()
})

it('says that it can not tell, when it is told again and again of a log that it is not given', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  let told = 0
  await until(() => {
    told += 1
    server.tell('epoch', { room: 'lobby', epoch: 'never given', head: 0 })
    return ann.doubts.length > 0
  }, 'it doubts')
  expect(ann.doubts).toEqual([{ reason: 'epoch' }])
  expect(server.count('room:join')).toBeLessThanOrEqual(told + 1)
  server.write('true')
  await ann.has(1)
  await until(() => ann.room.state === 'live', 'it goes on')
  expect(ann.texts()).toEqual(['true'])
  expect(ann.resets).toEqual([])
})

it('takes what the log shows for sent, when nothing is acked', async () => {
  await start({ answer: (event, answer) => (event === 'message:send' ? undefined : answer) })
  const storage = memoryStorage()
  const ann = await watch({ storage })
  await ann.room.live()
  const messages = ['one', 'two', 'three'].map((text) => ann.room.send(text))
  expect(await Promise.all(messages.map(({ settled }) => settled))).toMatchObject(
    messages.map(() => ({ state: 'sent' })),
  )
  expect(ann.texts()).toEqual(['one', 'two', 'three'])
  ann.audit()
  await ann.close()
  expect(await storage.load()).toEqual([])
})

it('fetches what was acked and does not come by itself', async () => {
  await start({ live: () => [] })
  const ann = await watch()
  await ann.room.live()
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  await ann.has(1)
  ann.audit()
})

it('sends nothing before it knows what an earlier run left', async () => {
  await start()
  const storage = memoryStorage()
  await storage.put({ id: 'old', room: 'lobby', kind: 'text', text: 'old', at: 1, order: 1 })
  let load: (() => void) | undefined
  const loading = new Promise<void>((resolve) => {
    load = resolve
  })
  const slow = { ...storage, load: () => loading.then(() => storage.load()) }
  const ann = await watch({ storage: slow })
  ann.room.send('new')
  await ann.room.live()
  expect(await ann.client.rooms().catch(() => [])).toEqual([])
  expect(server.count('message:send')).toBe(0)
  load?.()
  await ann.has(2)
  expect(ann.texts()).toEqual(['old', 'new'])
})

it('keeps a message pending that is neither acked nor shown', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'message:send' ? undefined : answer),
  })
  const ann = await watch()
  await ann.room.live()
  ann.room.send('into the void')
  await until(() => server.count('message:send') >= 3, 'it tries again')
  expect(ann.room.messages).toMatchObject([{ state: 'pending' }])
  expect(ann.client.state.waiting).toBe(1)
})

it('gives up a message that is acked under the number of another, and says so', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 1 } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  server.write('the first')
  await ann.has(1)
  ann.room.send('a lie')
  await until(() => ann.room.messages[1]?.state === 'failed', 'it has failed')
  expect(ann.room.messages[1]?.failure).toMatchObject({ code: 'contradicted', retryable: true })
  expect(ann.doubts).toContainEqual({ reason: 'ack', seq: 1, id: ann.room.messages[1]?.id })
  server.hooks.stores = () => true
  server.hooks.answer = (_event, answer) => answer
  ann.room.messages[1]?.failure?.retry()
  await ann.has(2)
  expect(ann.room.messages).toMatchObject([{ state: 'sent' }, { state: 'sent', text: 'a lie', seq: 2 }])
})

it('finds an ack out also when the number is taken only later', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 2 } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  const { id, settled } = ann.room.send('a lie')
  expect(await settled).toMatchObject({ state: 'sent', seq: 2 })
  for (const text of ['one', 'two']) server.write(text)
  await until(() => ann.doubts.length > 0, 'it doubts')
  expect(ann.doubts[0]).toEqual({ reason: 'ack', seq: 2, id })
  expect(ann.room.messages.at(-1)).toMatchObject({ id, text: 'a lie' })
})

it("has the log's number, when the ack names a wrong one", async () => {
  await start({ answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 500 } : answer) })
  const ann = await watch()
  await ann.room.live()
  await ann.room.send('one').settled
  await ann.has(1)
  expect(ann.room.messages).toMatchObject([{ seq: 1, state: 'sent' }])
})

it('lets nothing in that is not of the protocol', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  const good = server.write('good')
  await ann.has(1)
  const events = [
    'message',
    'presence',
    'typing',
    'read',
    'room',
    'epoch',
    'gap',
    'cluster',
    'draining',
    'welcome',
    'nonsense',
  ]
  const payloads: unknown[] = [
    null,
    1,
    'x',
    [],
    {},
    { room: 'lobby' },
    { room: 'lobby', seq: -1, user: 1, count: 'x' },
  ]
  for (const event of events) for (const payload of payloads) server.tell(event, payload)
  server.tell('message', { ...good, seq: 2, from: null })
  server.write('after')
  await until(() => ann.room.lastSeq === 2 && ann.room.state === 'live', 'it goes on')
  expect(ann.texts()).toEqual(['good', 'after'])
  ann.audit()
})

it('says when it gives up on pages that can not be read', async () => {
  await start({
    answer: (event, answer) => {
      if (event === 'room:history') return { ok: true, messages: 'none' }
      return event === 'room:join' ? { ...answer, messages: [] } : answer
    },
    live: (entry) => (entry.seq === 1 ? [] : [entry]),
  })
  const ann = await watch()
  await ann.room.live()
  for (const text of ['never brought', 'brought']) server.write(text)
  await ann.has(2)
  expect(ann.doubts).toEqual([{ reason: 'missing', from: 1, to: 1 }])
  expect(ann.texts()).toEqual(['brought'])
})

it('asks again for pages that can not be read', async () => {
  let spoil = true
  await start({
    answer: (event, answer) => (spoil && event === 'room:history' ? { ok: true, messages: 'none' } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  server.hooks.live = () => []
  server.write('not brought')
  server.hooks.live = (entry) => [entry]
  server.write('brought')
  await until(() => server.count('room:history') > 0, 'it asks')
  spoil = false
  await ann.has(2)
  ann.audit()
})

it("waits as long as it is asked to, and sends what it can't now when it can", async () => {
  let refusals = 0
  await start({
    stores: () => refusals >= 3,
    answer: (event, answer, asked) => {
      if (event !== 'message:send' || refusals >= 3) return answer
      refusals += 1
      expect(asked.text).toBe('first')
      const [code, retryAfterMs] = refusals === 1 ? ['rate_limited', 50] : ['unavailable', undefined]
      return { ok: false, error: { code, message: 'not now', retryable: true, retryAfterMs } }
    },
  })
  const ann = await watch()
  await ann.room.live()
  server.tell('cluster', { state: 'degraded', reason: 'the disk is full' })
  await until(() => ann.client.state.state === 'degraded', 'it says so')
  expect(ann.client.state.reason).toBe('the disk is full')
  const [first, second] = [ann.room.send('first'), ann.room.send('second')]
  await second.settled
  await first.settled
  server.tell('cluster', { state: 'ok' })
  await until(() => ann.client.state.state === 'online', 'it is well again')
  await ann.has(2)
  ann.audit()
  expect(ann.texts()).toEqual(['first', 'second'])
})

it('is final about what is refused for good, and goes on behind it', async () => {
  await start({
    answer: (event, answer, asked) =>
      event === 'message:send' && asked.text === 'bad'
        ? { ok: false, error: { code: 'conflict', message: 'another text', retryable: false } }
        : answer,
    stores: ({ text }) => text !== 'bad',
  })
  const ann = await watch()
  await ann.room.live()
  const [bad, good] = [ann.room.send('bad'), ann.room.send('good')]
  expect(await bad.settled).toMatchObject({
    state: 'failed',
    failure: { code: 'conflict', retryable: false },
  })
  expect(await good.settled).toMatchObject({ state: 'sent' })
  expect(server.count('message:send')).toBe(2)
})

it.each([
  { how: 'before it closes the connection', reconnectInMs: 50, closes: false },
  { how: 'when it closes the connection earlier than it said', reconnectInMs: 200_000, closes: true },
])('leaves a worker that goes, $how, and comes back without a pause', async ({ reconnectInMs, closes }) => {
  await start()
  // With any pause it would not be back within the time of a test.
  const never = 300_000
  const ann = await watch({
    retryBaseMs: never,
    retryMaxMs: never,
    random: () => 0.999,
    socket: { reconnectionDelay: never, reconnectionDelayMax: never, randomizationFactor: 0 },
  })
  await ann.room.live()
  server.tell('draining', { reconnectInMs })
  // Behind the event, on the same connection.
  if (closes) for (const socket of server.io.sockets.sockets.values()) socket.conn.close()
  await until(() => ann.states.filter((state) => state === 'online').length === 2, 'it is back')
  const last = ann.room.send('still here')
  expect(await last.settled).toMatchObject({ state: 'sent' })
})

it('opens another connection when it is not acked a thing, or is disconnected', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.io.disconnectSockets(false)
  await until(() => server.count('room:join') === 2, 'it joins again')
  server.hooks.answer = () => undefined
  server.hooks.live = () => []
  ann.room.send('heard, not answered')
  await until(() => server.count('room:join') === 3, 'it connects and joins again')
  server.hooks.answer = (_event, answer) => answer
  await ann.has(1)
  ann.audit()
})

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

it('leaves nothing behind when it is closed, whatever it waited for', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'room:join' ? answer : undefined),
  })
  const before = timers()
  const ann = await watch({ ackTimeoutMs: 60_000 })
  await ann.room.live()
  ann.room.typing(true)
  server.tell('typing', { room: 'lobby', user: { id: 'u', name: 'U' }, typing: true })
  const [sent, rooms, history] = [ann.room.send('never'), ann.client.rooms(), ann.room.history()]
  const failed = Promise.allSettled([rooms, history])
  await until(() => ann.room.writers.length === 1, 'somebody writes')
  await ann.close()
  expect(await sent.settled).toMatchObject({ state: 'pending' })
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await server.close()
  await until(
    () => timers() <= before,
    'no timer is left',
    () => process.getActiveResourcesInfo().join(),
  )
  expect(() => ann.client.join('lobby')).toThrow(/closed/)
  expect(() => ann.room.send('too late')).toThrow(/closed/)
})
