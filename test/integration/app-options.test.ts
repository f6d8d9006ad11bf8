/** The options of Socket.IO that an application exports hold over workers, through the port, on both transports. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import legacy from 'socket.io-client-v2'
import msgpack from 'socket.io-msgpack-parser'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { exchange } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

const APPS = new URL('../fixtures/apps/', import.meta.url).pathname
const ORIGIN = 'https://page.example'

let rookery: RunningRookery
const sockets: { close(): unknown }[] = []

const start = (app: string, env: Record<string, string> = {}) =>
  startRookery({ args: ['--app', join(APPS, app)], env })

async function once(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('connect_error', reject)
  })
}

const connect = async (transport: string): Promise<{ socket: Socket; worker: string }> => {
  const options = { path: '/live', parser: msgpack, transports: [transport], forceNew: true }
  const socket = io(rookery.url, options)
  sockets.push(socket)
  const { worker } = await socket.emitWithAck('who')
  return { socket, worker }
}

/** Two sockets on two workers. */
const connectApart = async (transport: string): Promise<[Socket, Socket]> => {
  const first = await connect(transport)
  for (;;) {
    const second = await connect(transport)
    if (second.worker !== first.worker) return [first.socket, second.socket]
  }
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

describe('options', () => {
  const APP_OPTIONS = {
    path: '/live',
    msgpack: true,
    cookie: { name: 'session', sameSite: 'strict' },
    cors: { origin: [ORIGIN], credentials: true },
    maxHttpBufferSize: 300_000,
    pingInterval: 7_000,
  }
  beforeAll(async () => {
    rookery = await start('options.js', { APP_OPTIONS: JSON.stringify(APP_OPTIONS) })
  })
  afterAll(() => rookery.kill())

  test.each(['polling', 'websocket'])(
    'hold over %s: path, parser, binary to another worker',
    async (transport) => {
      const [first, second] = await connectApart(transport)
      const bytes = Buffer.alloc(200_000, 7)
      const arrived = once(second, 'for-you')
      await first.emitWithAck('to', second.id, bytes)
      expect(Buffer.compare(Buffer.from((await arrived) as Uint8Array), bytes)).toBe(0)
      const fanned = once(first, 'fan')
      await first.emitWithAck('all')
      expect(await fanned).toMatchObject({ worker: expect.any(String) })
    },
  )

  test('hold for the handshake: cookie, CORS, heartbeat, limit, refusal', async () => {
    const url = `${rookery.url}/live/?EIO=4&transport=polling`
    const response = await fetch(url, { headers: { Origin: ORIGIN } })
    expect(response.headers.get('set-cookie')).toMatch(/^session=.*SameSite=Strict/i)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(response.headers.get('access-control-allow-credentials')).toBe('true')
    expect(JSON.parse((await response.text()).slice(1))).toMatchObject({
      pingInterval: 7_000,
      maxPayload: 300_000,
    })
    expect((await fetch(url, { headers: { 'X-Refused': '1' } })).status).toBe(403)
    expect((await fetch(`${rookery.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(404)
  })

  test('the client is served below the path, as Socket.IO does', async () => {
    const response = await fetch(`${rookery.url}/live/socket.io.min.js`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('javascript')
  })

  test("the front door's own refusals follow the application's CORS", async () => {
    const head = `GET /live/ HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\nX-Long: ${'a'.repeat(20_000)}`
    const { status, headers } = await exchange(rookery.port, head)
    expect(status).toBe(431)
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(headers.get('access-control-allow-credentials')).toBe('true')
  })
})

test('clients of Socket.IO 2 connect, and are reached by their id from another worker', async () => {
  rookery = await start('options.js', { APP_OPTIONS: '{"allowEIO3":true}' })
  try {
    const old = legacy(rookery.url, { forceNew: true })
    sockets.push(old)
    await new Promise((resolve) => old.on('connect', resolve))
    const its = await new Promise<{ worker: string; id: string }>((resolve) => old.emit('who', resolve))
    expect(its.id).toBe(old.id)
    const arrived = new Promise((resolve) => old.on('for-you', resolve))
    for (;;) {
      const other = io(rookery.url, { forceNew: true, transports: ['websocket'] })
      sockets.push(other)
      const { worker } = await other.emitWithAck('who')
      if (worker === its.worker) continue
      await other.emitWithAck('to', old.id, 'hello')
      break
    }
    expect(await arrived).toBe('hello')
  } finally {
    await rookery.kill()
  }
})

test.each([
  ['compiled.cjs', '/compiled'],
  ['packaged', '/packaged'],
  ['promised.js', '/promised'],
])('an application may be %s', async (app, path) => {
  rookery = await start(app, { WORKERS: '1' })
  try {
    const socket = io(rookery.url, { path, transports: ['websocket'] })
    sockets.push(socket)
    expect(await once(socket, 'hello')).toBe(path.slice(1))
  } finally {
    await rookery.kill()
  }
})

test.each([
  ['adapter', "io.adapter() is Rookery's: it joins the workers and hosts; remove it"],
  ['generateId', "io.engine.generateId is Rookery's: the id of a session names its worker"],
  ['attach', 'io.attach() is not needed: the primary listens (PORT, HOST)'],
  ['listen', 'io.listen() is not needed: the primary listens (PORT, HOST)'],
  ['http-listen', 'httpServer.listen() is not needed: the primary listens (PORT, HOST)'],
])('an application that takes over %s is refused by name', async (attempt, message) => {
  rookery = await startRookery({
    args: ['--app', join(APPS, 'takes-over.js')],
    env: { WORKERS: '1', TAKES_OVER: attempt },
    untilReady: false,
  })
  try {
    await until(
      () => rookery.logs.some((line) => JSON.stringify(line).includes(message)),
      message,
      () => rookery.tail(),
    )
  } finally {
    await rookery.kill()
  }
})

test('a stop calls the hooks of the application, also after one that fails', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-stop-'))
  const file = join(directory, 'stopped')
  rookery = await start('options.js', { STOP_FILE: file })
  expect(await rookery.stop()).toBe(0)
  const calls = new Set((await readFile(file, 'utf8')).trim().split('\n'))
  expect(calls).toEqual(new Set(['first w1 true', 'first w2 true']))
  expect(rookery.countLogs("the application's stop hook failed")).toBe(2)
  await rm(directory, { recursive: true })
})
