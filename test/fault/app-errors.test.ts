/** Errors of an application end at most the connection that they belong to. */
import { fileURLToPath } from 'node:url'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { metricSum } from '../harness/cluster/metric-sum.ts'
import { until } from '../harness/until.ts'

const APP = fileURLToPath(new URL('../fixtures/apps/failing.js', import.meta.url))
const TIMES = 30
const GOOD_CLIENTS = 20
const ACK_TIMEOUT_MS = 60_000
const FAILED = { ok: false, error: { code: 'internal', message: 'the request failed', retryable: true } }

let rookery: RunningRookery
const sockets: Socket[] = []

beforeAll(async () => {
  rookery = await startRookery({ args: ['--app', APP], env: { DRAIN_MS: '500' } })
})

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect()
})

afterAll(() => rookery?.kill())

type Options = Partial<ManagerOptions & SocketOptions>

function client(options: Options = {}, path = ''): Socket {
  const socket = io(`${rookery.url}${path}`, {
    forceNew: true,
    transports: ['websocket'],
    reconnection: false,
    ...options,
  })
  sockets.push(socket)
  return socket
}

async function connected(options: Options = {}): Promise<Socket> {
  const socket = client(options)
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(undefined))
    socket.once('connect_error', reject)
  })
  return socket
}

/** How a connect ends that the application fails at. */
function outcome(fails: string, id: number): Promise<string> {
  const socket = client({ auth: { fails, id } })
  return new Promise((resolve) => {
    socket.once('connect_error', ({ message }) => resolve(message))
    socket.once('disconnect', resolve)
    if (fails === 'disconnect') socket.once('connect', () => socket.disconnect())
  })
}

class GoodClients {
  readonly #sockets: Socket[]
  drops = 0

  constructor(connections: Socket[]) {
    this.#sockets = connections
    for (const socket of connections) socket.on('disconnect', () => (this.drops += 1))
  }

  static async connect(options: Options = {}): Promise<GoodClients> {
    const transports = ['websocket', 'polling'] as const
    const all = Array.from({ length: GOOD_CLIENTS }, (_, index) =>
      connected({ transports: [transports[index % 2] ?? 'websocket'], auth: { good: index }, ...options }),
    )
    return new GoodClients(await Promise.all(all))
  }

  /** @returns the workers that serve them */
  async echo(): Promise<Set<string>> {
    const answers = await Promise.all(
      this.#sockets.map((socket, index) => socket.timeout(ACK_TIMEOUT_MS).emitWithAck('echo', index)),
    )
    expect(answers.map(({ value }) => value)).toEqual(this.#sockets.map((_, index) => index))
    return new Set(answers.map(({ worker }) => worker))
  }
}

const errorsCounted = async () => {
  const text = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
  const samples = text.matchAll(/^rookery_app_errors_total\{where="([^"]*)",event="([^"]*)"\} ([0-9]+)$/gm)
  return Object.fromEntries(
    [...samples].map(([, where, event, count]) => [`${where} ${event}`, Number(count)]),
  )
}

test('a client that makes the application throw in every way costs the others nothing', async () => {
  const good = await GoodClients.connect()
  const workers = await good.echo()
  expect(workers.size).toBe(2)
  const ends: Record<string, string> = {
    middleware: 'the request failed',
    'async middleware': 'the request failed',
    connection: 'transport close',
    'async connection': 'transport close',
    disconnect: 'io client disconnect',
  }
  for (let id = 0; id < TIMES; id += 1) {
    for (const [fails, end] of Object.entries(ends)) expect(await outcome(fails, id)).toBe(end)
    const socket = await connected({ auth: { id } })
    socket.once('question', (answer) => answer())
    socket.emit('ask')
    for (const event of ['throw', 'reject', 'timer', 'floating', 'refused'])
      expect(await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event)).toEqual(FAILED)
    const told = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck('told')
    expect(told['event timer']).toEqual({ message: 'the application failed: timer', socket: socket.id })
    socket.disconnect()
    const refused = client({}, '/fails')
    const { message } = await new Promise<Error>((resolve) => refused.once('connect_error', resolve))
    expect(message).toBe('Invalid namespace')
    expect((await fetch(`${rookery.url}/throw`)).status).toBe(500)
    expect((await fetch(`${rookery.url}/timer`)).status).toBe(200)
    const polled = `${rookery.url}/socket.io/?EIO=4&transport=polling`
    for (const how of ['engine', 'with nothing'])
      expect((await fetch(polled, { headers: { 'x-fails': how } })).status).toBe(400)
  }
  const expected = {
    'middleware connection': 2 * TIMES,
    'connection connection': 2 * TIMES,
    'disconnect disconnect': TIMES,
    'ack ': TIMES,
    'event throw': TIMES,
    'event reject': TIMES,
    'event timer': TIMES,
    'event floating': TIMES,
    // No listener was added for it: the name may be any.
    'middleware other': TIMES,
    'namespace ': TIMES,
    'http ': 2 * TIMES,
    'engine middleware': 2 * TIMES,
  }
  // The last errors of timers come after the answers.
  await until(
    async () => (await errorsCounted())['http '] === expected['http '],
    'all errors are counted',
    () => rookery.tail(),
  )
  expect(await errorsCounted()).toEqual(expected)
  expect(await good.echo()).toEqual(workers)
  expect(good.drops).toBe(0)
  expect(rookery.log('worker died')).toBeUndefined()
  const line = rookery.log('an error in the application')
  expect(line).toMatchObject({
    where: 'middleware',
    event: 'connection',
    nsp: '/',
    socket: expect.any(String),
  })
})

test('a client that fails at each connect is held off, and others of its address are not', async () => {
  const good = await GoodClients.connect()
  const offender = client({ auth: { fails: 'connection' }, reconnection: true, reconnectionDelay: 1 })
  const refusal = await new Promise<Error & { data?: unknown }>((resolve) =>
    offender.once('connect_error', resolve),
  )
  expect(refusal.data).toMatchObject({ code: 'rate_limited', retryable: true })
  expect(rookery.log('a client that causes errors again and again is held off')).toBeDefined()
  expect(await metricSum(rookery.adminUrl, 'rookery_app_offenders_held_off_total')).toBeGreaterThan(0)
  await connected()
  await good.echo()
  expect(good.drops).toBe(0)
})

test('an error that belongs to no client replaces its worker in order', async () => {
  const good = await GoodClients.connect({ reconnection: true, reconnectionDelay: 1 })
  const before = rookery.workerNames()
  const { worker } = (await (await fetch(`${rookery.url}/doom`)).json()) as { worker: string }
  await rookery.untilLog('worker left')
  expect(rookery.log('a worker is in doubt: it is replaced in order')).toMatchObject({
    worker,
    reason: 'the application failed: nobody',
  })
  expect(rookery.log('worker left')).toMatchObject({ worker, code: 0 })
  expect(rookery.log('worker died')).toBeUndefined()
  const now = rookery.workerNames()
  expect(now).toHaveLength(before.length)
  expect(now.filter((name) => before.includes(name))).toEqual(before.filter((name) => name !== worker))
  expect(await good.echo()).not.toContain(worker)
  expect(good.drops).toBeLessThan(GOOD_CLIENTS)
})
