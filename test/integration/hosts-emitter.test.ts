/** What the stock `@socket.io/redis-emitter` publishes reaches the clients of two hosts with two workers each. */
import { Emitter } from '@socket.io/redis-emitter'
import { Redis } from 'ioredis'
import { encode } from 'notepack.io'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startRookery } from '../harness/cluster/cluster.ts'
import { LoopbackHosts } from '../harness/cluster/loopback-hosts.ts'
import { until } from '../harness/until.ts'

const APP = new URL('../fixtures/apps/from-outside.js', import.meta.url).pathname
const NOTICE = 'a notice to the servers'

let hosts: LoopbackHosts
let redis: Redis
let emitter: Emitter
beforeAll(async () => {
  const env = { EMITTER: 'on', EMITTER_KEY: 'app:events' }
  hosts = await LoopbackHosts.start({ hosts: 2, workersPerHost: 2, args: ['--app', APP], env })
  redis = new Redis(hosts.redis.url)
  emitter = new Emitter(redis, { key: 'app:events' })
  await untilSubscribed()
})
afterAll(async () => {
  redis?.disconnect()
  await hosts?.stop()
})

const clients: Client[] = []
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.disconnect()
})

const untilSubscribed = () =>
  until(
    async () => (await hosts.metricByHost('rookery_emitter_subscribed')).join() === '1,1',
    'both hosts are subscribed',
  )

interface Client {
  socket: Socket
  worker: string
  events: unknown[][]
}

async function connect(
  host: number,
  transport: string,
  rooms: readonly unknown[] = [],
  nsp = '/',
): Promise<Client> {
  const options = { transports: [transport], auth: { rooms }, forceNew: true, reconnection: false }
  const socket = io(`http://127.0.0.1:${hosts.ports[host]}${nsp}`, options)
  const client: Client = { socket, worker: '', events: [] }
  clients.push(client)
  socket.onAny((...event: unknown[]) => {
    if (event[0] === 'joined') client.worker = `${host} ${String(event[1])}`
    else client.events.push(event)
  })
  await until(() => client.worker !== '', 'the client has joined')
  return client
}

/** One client at each worker, with these rooms; the first of each host over WebSocket, the other over polling. */
async function atEachWorker(rooms: readonly (readonly unknown[])[] = [], nsp = '/'): Promise<Client[]> {
  const connected: Client[] = []
  for (const index of [0, 1, 2, 3]) {
    const transport = index % 2 === 0 ? 'websocket' : 'polling'
    let client: Client
    // Clients of an earlier test may still count at the balancer.
    do client = await connect(Math.floor(index / 2), transport, rooms[index], nsp)
    while (connected.some(({ worker }) => worker === client.worker))
    connected.push(client)
  }
  return connected
}

/** What each got up to an emit to everybody, which comes last. */
async function eventsOf(of: readonly Client[], nsp = emitter): Promise<unknown[][][]> {
  nsp.emit('fence')
  const last = ({ events }: Client) => events.at(-1)?.[0] === 'fence'
  await until(
    () => of.every(last),
    'the fence arrives',
    () => JSON.stringify(of.map(({ events }) => events)),
  )
  return of.map(({ events }) => events.splice(0).slice(0, -1))
}

test('an emit reaches every client once, in order, with every kind of value and flag', async () => {
  const of = await atEachWorker()
  emitter.emit('news', 1, 'zwei', { three: [4, null, true], ü: '€𝄞' })
  emitter.emit('bytes', Buffer.from('one'), { deep: [Buffer.from([1, 2, 3])] })
  emitter.volatile.emit('volatile')
  emitter.compress(false).emit('plain')
  emitter.emit('large', 'x'.repeat(2_500_000))
  const each = [
    ['news', 1, 'zwei', { three: [4, null, true], ü: '€𝄞' }],
    ['bytes', Buffer.from('one'), { deep: [Buffer.from([1, 2, 3])] }],
    ['volatile'],
    ['plain'],
    ['large', 'x'.repeat(2_500_000)],
  ]
  for (const events of await eventsOf(of)) {
    // A client over polling may be between two polls: then Socket.IO drops what is volatile.
    const withVolatile = events.some(([name]) => name === 'volatile')
      ? each
      : each.filter(([name]) => name !== 'volatile')
    expect(events).toEqual(withVolatile)
  }
})

test('rooms, exceptions, numbers and socket ids select as in Socket.IO; what is no room selects nobody', async () => {
  const of = await atEachWorker([['red', 'blue'], ['red'], ['blue', 7], []])
  const [first, , , fourth] = of
  emitter.to('red').emit('red')
  emitter.in(['red', 'blue']).emit('both')
  emitter.to('red').to('blue').except('red').emit('blue alone')
  emitter.except(['red', 'blue']).emit('rest')
  emitter.to(7 as unknown as string).emit('number')
  emitter.to(fourth?.socket.id ?? '').emit('own room')
  emitter.except(first?.socket.id ?? '').emit('all but one')
  emitter.to(undefined as unknown as string).emit('undefined')
  emitter.to([undefined, null] as unknown as string[]).emit('nothing')
  emitter.to('nobody').emit('nobody')
  const names = (await eventsOf(of)).map((events) => events.map(([name]) => name))
  expect(names).toEqual([
    ['red', 'both'],
    ['red', 'both', 'all but one'],
    ['both', 'blue alone', 'number', 'all but one'],
    ['rest', 'own room', 'all but one'],
  ])
})

test('another namespace gets its own alone', async () => {
  const main = await connect(0, 'websocket')
  const of = await atEachWorker([['red']], '/chat')
  const chat = emitter.of('chat')
  chat.emit('hello')
  chat.to('red').emit('red')
  emitter.emit('main')
  const [first, ...others] = await eventsOf(of, chat)
  expect(first).toEqual([['hello'], ['red']])
  expect(others).toEqual([[['hello']], [['hello']], [['hello']]])
  expect(await eventsOf([main])).toEqual([[['main']]])
})

test('sockets join, leave and are disconnected', async () => {
  const of = await atEachWorker([['red'], [], ['red'], []])
  emitter.in('red').socketsJoin(['green', 'blue'])
  emitter.to('green').emit('green')
  emitter.in('red').socketsLeave('green')
  emitter.to('green').emit('green again')
  emitter.to('blue').emit('blue')
  expect(await eventsOf(of)).toEqual([[['green'], ['blue']], [], [['green'], ['blue']], []])
  emitter.in('blue').disconnectSockets(true)
  const connected = () => of.map(({ socket }) => socket.connected).join()
  await until(
    () => connected() === 'false,true,false,true',
    'the sockets of the room are disconnected',
    connected,
  )
})

test('an event for servers is told once to each worker', async () => {
  emitter.serverSideEmit('notice', 1, { two: 3 })
  emitter.of('/chat').serverSideEmit('notice', 'chat')
  for (const index of [0, 1]) {
    await hosts.at(index).untilLog(NOTICE, 4)
    const told = hosts.at(index).logs.filter(({ msg }) => msg === NOTICE)
    const seen = told.map(({ worker, namespace, args }) => JSON.stringify([worker, namespace, args]))
    expect(new Set(seen).size).toBe(4)
    expect(seen).toHaveLength(4)
    expect(seen.filter((line) => line.includes('[1,{"two":3}]'))).toHaveLength(2)
  }
})

test('what no emitter writes is counted, and ends nothing', async () => {
  const of = await atEachWorker()
  const before = await outcomes()
  const channel = 'app:events#/#'
  const packet = { type: 2, data: ['news'], nsp: '/' }
  await redis.publish(channel, 'no msgpack')
  await redis.publish(channel, encode(['emitter', { ...packet, type: 1 }, { rooms: [] }]))
  await redis.publish(channel, encode(['emitter', { ...packet, data: ['disconnect'] }, { rooms: [] }]))
  await redis.publish(channel, encode(['emitter', { ...packet, nsp: '/chat' }, { rooms: [] }]))
  await redis.publish('app:events-request#/#', '{"type":3,"rooms":')
  await redis.publish('app:events-request#/#', JSON.stringify({ type: 6, data: ['connection', {}] }))
  await redis.publish(
    'app:events-request#/#',
    JSON.stringify({ type: 5, requestId: 'q', opts: { rooms: [] } }),
  )
  await redis.publish('app:events-request#/#', `{${' '.repeat(1_048_576)}}`)
  // As older emitters of other languages write it.
  await redis.publish(channel, encode(['emitter', { type: 2, data: ['sparse'] }, { flags: [] }]))
  expect(await eventsOf(of)).toEqual([[['sparse']], [['sparse']], [['sparse']], [['sparse']]])
  const after = await outcomes()
  const more = Object.fromEntries(
    Object.keys(after).map((key) => [key, (after[key] ?? 0) - (before[key] ?? 0)]),
  )
  expect(more).toMatchObject({ malformed: 12, unsupported: 2, too_large: 2, passed: 4 })
  await hosts.at(0).untilLog('a message of a redis-emitter was refused')
})

test('a subscription that is lost is made again', async () => {
  const of = await atEachWorker()
  const losses = await hosts.metric('rookery_emitter_losses_total')
  for (const line of (await hosts.redis.cli('client', 'list', 'type', 'pubsub')).split('\n')) {
    const [, id] = /^id=([0-9]+) .* psub=2 /.exec(line) ?? []
    if (id !== undefined) await hosts.redis.cli('client', 'kill', 'id', id)
  }
  await until(
    async () => (await hosts.metric('rookery_emitter_losses_total')) === losses + 2,
    'the loss is noticed',
  )
  await untilSubscribed()
  emitter.emit('again')
  expect(await eventsOf(of)).toEqual([[['again']], [['again']], [['again']], [['again']]])
})

test('it is off by default', async () => {
  const own = await startRookery({
    args: ['--app', APP],
    env: { REDIS_URL: hosts.redis.url, CLUSTER_NAME: 'closed', WORKERS: '1' },
  })
  try {
    const lines = (await hosts.redis.cli('client', 'list', 'type', 'pubsub')).split('\n')
    const subscribed = lines.filter((line) => line.includes('name=rookery:closed:'))
    expect(subscribed.length).toBeGreaterThan(0)
    expect(subscribed.filter((line) => !line.includes(' psub=0 '))).toEqual([])
  } finally {
    await own.stop()
  }
})

/** Of both hosts. */
async function outcomes(): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const index of [0, 1]) {
    const text = await (await fetch(`${hosts.at(index).adminUrl}/metrics`)).text()
    for (const [, outcome = '', count] of text.matchAll(
      /^rookery_emitter_messages_total\{outcome="(\w+)"\} (\d+)$/gm,
    ))
      found[outcome] = (found[outcome] ?? 0) + Number(count)
  }
  return found
}
