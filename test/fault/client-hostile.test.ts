/**
 * The client with a server that misbehaves on purpose: it shows the truth, or reports that it is in doubt.
 */
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
  await until(() => one.client.state.state === 'online', 'the client is online')
  return one
}

afterEach(async () => {
  await Promise.all(watches.map((one) => one.close()))
  watches = []
  await server.close()
})

/** A pseudo-random number from 0 up to 1 that is the same in each run. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

it('corrects duplicated, swapped and dropped messages', async () => {
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
  await until(() => ann.client.state.waiting === 0, 'all messages are sent')
  await until(
    () => ann.room.lastSeq === server.head && ann.room.state === 'live',
    'the client has all messages',
  )
  ann.audit()
  expect(ann.shown).toEqual(server.log)
  expect(server.log).toHaveLength(330)
})

it('reports that two messages were swapped once it finds out', async () => {
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
  // Nothing that the client has received so far shows the swap; only the log does.
  server.tell('message', server.log[0])
  await until(() => ann.doubts.length > 0, 'the client is in doubt')
  expect(ann.doubts).toEqual([{ reason: 'contradiction', seq: 1 }])
})

it('gets all messages by joining, when history is always of another log', async () => {
  await start({
    live: (entry) => (entry.seq % 3 === 0 ? [entry] : []),
    answer: (event, answer) => (event === 'room:history' ? { ...answer, epoch: 'another' } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  for (let i = 1; i <= 30; i += 1) server.write(`${i}`)
  await until(() => ann.room.lastSeq === 30 && ann.room.state === 'live', 'the client has all messages')
  expect(ann.shown).toEqual(server.log)
  expect(ann.resets).toEqual([])
})

it('reports what it cannot get, and continues', async () => {
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

it('reports a gap of messages that never existed as impossible to fill, and stays live', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.tell('gap', { room: 'lobby', from: 1, to: 1e15 })
  await until(() => ann.doubts.length > 0, 'the client is in doubt')
  expect(ann.doubts).toEqual([{ reason: 'missing', from: 1, to: 1e15 }])
  server.write('real')
  await ann.has(1)
  expect(ann.texts()).toEqual(['real'])
})

it('reports two messages with the same number', async () => {
  await start({ live: (entry) => [entry, { ...entry, id: 'forged', text: 'forged' }] })
  const ann = await watch()
  await ann.room.live()
  server.write('true')
  await until(() => ann.doubts.length > 0, 'the client is in doubt')
  expect(ann.doubts).toEqual([{ reason: 'contradiction', seq: 1 }])
  expect(ann.texts()).toEqual(['true'])
})

it('reports that the log is unknown when each answer names another one', async () => {
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
  await until(() => ann.doubts.some(({ reason }) => reason === 'epoch'), 'the client is in doubt')
  expect(ann.room.state).not.toBe('live')
})

it('shows the log after it was lost, and sends again the messages that only the lost log had', async () => {
  await start({ live: () => [] })
  const ann = await watch()
  await ann.room.live()
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  server.loseLog('epoch-2')
  server.hooks.live = (entry) => [entry]
  server.io.disconnectSockets(true)
  await until(() => ann.resets.length > 0, 'the client starts over')
  await until(() => ann.room.lastSeq === 1, 'the message is shown again')
  expect(ann.resets).toEqual(['epoch'])
  expect(ann.texts()).toEqual(['acked'])
  expect(server.log.map(({ text }) => text)).toEqual(['acked'])
})

it('starts over when another log is announced while it is connected, and does not mix the two', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  for (let i = 1; i <= 5; i += 1) server.write(`old ${i}`)
  await ann.has(5)
  expect(await ann.room.send('acked, never to be seen again').settled).toMatchObject({ state: 'sent' })
  await ann.has(6)
  server.loseLog('epoch-2')
  server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 0 })
  // Before the client can have joined again: one number that it already has, and the one that follows.
  for (let i = 1; i <= 7; i += 1) server.write(`new ${i}`)
  await until(() => ann.room.lastSeq === 7 && ann.room.state === 'live', 'the client shows the new log')
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

it('sends again messages that another log acked and did not show', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.hooks.live = () => []
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  server.loseLog('epoch-2')
  server.hooks.live = (entry) => [entry]
  server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 0 })
  await until(() => ann.resets.length > 0 && ann.room.lastSeq === 1, 'the message is shown again')
  expect(server.log.map(({ text }) => text)).toEqual(['acked'])
  ann.audit()
})

it('reports a doubt when a log is announced again and again and never delivered', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  for (let told = 1; told <= 20 && ann.doubts.length === 0; told += 1) {
    server.tell('epoch', { room: 'lobby', epoch: 'never given', head: 0 })
    // One that comes after the doubt would be another reason for one.
    await until(
      () => server.count('room:join') > told || ann.doubts.length > 0,
      'the client asks for the log, or is in doubt',
    )
    expect(server.count('room:join')).toBeLessThanOrEqual(told + 1)
  }
  expect(ann.doubts).toEqual([{ reason: 'epoch' }])
  server.write('true')
  await ann.has(1)
  await until(() => ann.room.state === 'live', 'the client continues')
  expect(ann.texts()).toEqual(['true'])
  expect(ann.resets).toEqual([])
})

it('treats messages that the log shows as sent, even if no ack arrives', async () => {
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

it('fetches acked messages that do not arrive by themselves', async () => {
  await start({ live: () => [] })
  const ann = await watch()
  await ann.room.live()
  expect(await ann.room.send('acked').settled).toMatchObject({ state: 'sent' })
  await ann.has(1)
  ann.audit()
})

it('sends nothing before it has loaded what an earlier run left', async () => {
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
  await expect(ann.client.rooms()).rejects.toMatchObject({ code: 'bad_answer' })
  expect(server.count('rooms')).toBe(1)
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
  await until(() => server.count('message:send') >= 3, 'the client tries again')
  expect(ann.room.messages).toMatchObject([{ state: 'pending' }])
  expect(ann.client.state.waiting).toBe(1)
})

it('gives up a message that is acked with the number of another one, and reports it', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 1 } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  server.write('the first')
  await ann.has(1)
  ann.room.send('a lie')
  await until(() => ann.room.messages[1]?.state === 'failed', 'the message has failed')
  expect(ann.room.messages[1]?.failure).toMatchObject({ code: 'contradicted', retryable: true })
  expect(ann.doubts).toContainEqual({ reason: 'ack', seq: 1, id: ann.room.messages[1]?.id })
  server.hooks.stores = () => true
  server.hooks.answer = (_event, answer) => answer
  ann.room.messages[1]?.failure?.retry()
  await ann.has(2)
  expect(ann.room.messages).toMatchObject([{ state: 'sent' }, { state: 'sent', text: 'a lie', seq: 2 }])
})

it('detects a wrong ack even if its number is used only later', async () => {
  await start({
    stores: () => false,
    answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 2 } : answer),
  })
  const ann = await watch()
  await ann.room.live()
  const { id, settled } = ann.room.send('a lie')
  expect(await settled).toMatchObject({ state: 'sent', seq: 2 })
  for (const text of ['one', 'two']) server.write(text)
  await until(() => ann.doubts.length > 0, 'the client is in doubt')
  expect(ann.doubts[0]).toEqual({ reason: 'ack', seq: 2, id })
  expect(ann.room.messages.at(-1)).toMatchObject({ id, text: 'a lie' })
})

it("uses the log's number when the ack has a wrong one", async () => {
  await start({ answer: (event, answer) => (event === 'message:send' ? { ...answer, seq: 500 } : answer) })
  const ann = await watch()
  await ann.room.live()
  await ann.room.send('one').settled
  await ann.has(1)
  expect(ann.room.messages).toMatchObject([{ seq: 1, state: 'sent' }])
})

it('ignores everything that is not part of the protocol', async () => {
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
  await until(() => ann.room.lastSeq === 2 && ann.room.state === 'live', 'the client continues')
  expect(ann.texts()).toEqual(['good', 'after'])
  ann.audit()
})

it('reports that it gives up on unreadable pages', async () => {
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

it('requests unreadable pages again', async () => {
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
  await until(() => server.count('room:history') > 0, 'the client requests the page')
  spoil = false
  await ann.has(2)
  ann.audit()
})

it('waits for the requested time, and sends when it can what it cannot send now', async () => {
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
  await until(() => ann.client.state.state === 'degraded', 'the client reports it')
  expect(ann.client.state.reason).toBe('the disk is full')
  const [first, second] = [ann.room.send('first'), ann.room.send('second')]
  await second.settled
  await first.settled
  server.tell('cluster', { state: 'ok' })
  await until(() => ann.client.state.state === 'online', 'the client is online again')
  await ann.has(2)
  ann.audit()
  expect(ann.texts()).toEqual(['first', 'second'])
})

it('treats a permanent refusal as final, and continues with the next message', async () => {
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
  { how: 'when it closes the connection earlier than announced', reconnectInMs: 200_000, closes: true },
])('leaves a worker that drains, $how, and reconnects without a pause', async ({ reconnectInMs, closes }) => {
  await start()
  // With any pause the client would not be back within the time of a test.
  const never = 300_000
  const ann = await watch({
    retryBaseMs: never,
    retryMaxMs: never,
    random: () => 0.999,
    socket: { reconnectionDelay: never, reconnectionDelayMax: never, randomizationFactor: 0 },
  })
  await ann.room.live()
  server.tell('draining', { reconnectInMs })
  // After the event, on the same connection.
  if (closes) for (const socket of server.io.sockets.sockets.values()) socket.conn.close()
  await until(
    () => ann.states.filter((state) => state === 'online').length === 2,
    'the client is online again',
  )
  const last = ann.room.send('still here')
  expect(await last.settled).toMatchObject({ state: 'sent' })
})

it('opens another connection when acks are missing, or after a disconnect', async () => {
  await start()
  const ann = await watch()
  await ann.room.live()
  server.io.disconnectSockets(false)
  await until(() => server.count('room:join') === 2, 'the client joins again')
  server.hooks.answer = () => undefined
  server.hooks.live = () => []
  ann.room.send('heard, not answered')
  await until(() => server.count('room:join') === 3, 'the client connects and joins again')
  server.hooks.answer = (_event, answer) => answer
  await ann.has(1)
  ann.audit()
})

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

it('leaves nothing behind when it is closed, whatever it was waiting for', async () => {
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
  await until(() => ann.room.writers.length === 1, 'somebody is typing')
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

/** What the server writes in one turn, the client reads in one turn. */
const webSocket = { transports: ['websocket'] }

it('applies an answer before the presence that follows it in the same packet', async () => {
  const joined = [{ id: 'id-of-Bob', name: 'Bob' }]
  await start({
    answer: (event, answer) => {
      const isAboutMembers = event === 'room:join' || event === 'room:members'
      if (isAboutMembers) queueMicrotask(() => server.tell('presence', { room: 'lobby', joined, count: 2 }))
      return event === 'room:members' ? { ok: true, members: [], count: 0 } : answer
    },
  })
  const ann = await watch({ socket: webSocket })
  const names = () => ann.room.members.list.map(({ name }) => name).toSorted()
  await ann.room.live()
  expect([ann.room.members.count, names()]).toEqual([2, ['Ann', 'Bob']])
  await ann.room.fetchMembers()
  expect([ann.room.members.count, names()]).toEqual([2, ['Bob']])
})

it('joins again when the answer to a join is followed by a new epoch in the same packet', async () => {
  await start({
    answer: (event, answer) => {
      const isFirst = event === 'room:join' && server.count('room:join') === 1
      if (isFirst)
        queueMicrotask(() => {
          server.loseLog('epoch-2')
          server.tell('epoch', { room: 'lobby', epoch: 'epoch-2', head: 0 })
        })
      return answer
    },
  })
  server.write('of the old log')
  const ann = await watch({ socket: webSocket })
  await until(() => ann.room.epoch === 'epoch-2', 'the client has the new log')
  expect(ann.texts()).toEqual([])
})
