/** How a session over long polling ends: the client must take it for a lost connection, and gets first what waits for it. */
import { createServer, type Server as HttpServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Server, type Socket } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { endPollsAsLost, watchOversizedPackets } from '../../src/worker/connections/index.ts'
import { drainConnections } from '../../src/worker/drain.ts'
import { listenPort } from '../harness/network/listen-port.ts'
import { until } from '../harness/until.ts'

const MAX_BYTES = 65_536
const UNKNOWN = { status: 400, body: '{"code":1,"message":"Session ID unknown"}' }
const logger = pino({ level: 'silent' })

let httpServer: HttpServer
let server: Server
let url = ''

async function serve(options: { pingInterval?: number; pingTimeout?: number } = {}): Promise<void> {
  httpServer = createServer()
  server = new Server(httpServer, { maxHttpBufferSize: MAX_BYTES, cors: { origin: '*' }, ...options })
  endPollsAsLost(server)
  watchOversizedPackets(httpServer, server, { maxBytes: MAX_BYTES, logger, registry: new Registry() })
  url = `http://127.0.0.1:${await listenPort(httpServer)}`
}

beforeEach(() => serve())
afterEach(() => server.close())

interface Answer {
  status: number
  body: string
}

/** A client of long polling that does nothing by itself. */
class Poller {
  readonly socket: Socket
  readonly #url: string

  private constructor(socket: Socket, sessionUrl: string) {
    this.socket = socket
    this.#url = sessionUrl
  }

  static async open(): Promise<Poller> {
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const base = `${url}/socket.io/?EIO=4&transport=polling`
    const opened = await (await fetch(base)).text()
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string }
    const session = `${base}&sid=${sid}`
    await fetch(session, { method: 'POST', body: '40' })
    const poller = new Poller(await connected, session)
    expect(await poller.poll()).toMatchObject({ status: 200, body: expect.stringMatching(/^40/) })
    return poller
  }

  async poll(): Promise<Answer> {
    const answer = await fetch(this.#url, { headers: { Origin: 'https://chat.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    return { status: answer.status, body: await answer.text() }
  }

  /** A poll that the server holds. */
  async openPoll(): Promise<Promise<Answer>[]> {
    const poll = this.poll()
    await until(() => this.socket.conn.transport.writable, 'the poll is open')
    // In a list: an async function would wait for it.
    return [poll]
  }

  async post(body: string): Promise<Answer> {
    const answer = await fetch(this.#url, { method: 'POST', body })
    return { status: answer.status, body: await answer.text() }
  }
}

const drain = () =>
  drainConnections({
    io: server,
    requests: { finish: () => Promise.resolve() },
    hooks: [],
    spreadMs: 0,
    logger,
  })

it('a drain ends the open poll, and later polls, as an unknown session', async () => {
  const poller = await Poller.open()
  const [poll] = await poller.openPoll()
  await drain()
  expect(await poll).toEqual(UNKNOWN)
  expect(await poller.poll()).toEqual(UNKNOWN)
})

it('a drain waits for the next poll, and delivers what is buffered', async () => {
  const poller = await Poller.open()
  poller.socket.on('hello', () => poller.socket.emit('news', 2))
  poller.socket.emit('news', 1)
  const drained = drain()
  expect(await poller.post('42["hello"]')).toEqual({ status: 200, body: 'ok' })
  expect(await poller.poll()).toEqual({ status: 200, body: '42["news",1]\x1e42["news",2]' })
  expect(await poller.poll()).toEqual(UNKNOWN)
  await drained
  expect(poller.socket.connected).toBe(false)
})

it('a drain closes a session whose polls are all answered at once', async () => {
  const poller = await Poller.open()
  const always = setInterval(() => poller.socket.emit('news'), 1)
  try {
    const drained = drain()
    let answer = await poller.poll()
    while (answer.status === 200) {
      expect(answer.body).toMatch(/^42\["news"\]/)
      answer = await poller.poll()
    }
    expect(answer).toEqual(UNKNOWN)
    await drained
    expect(poller.socket.connected).toBe(false)
  } finally {
    clearInterval(always)
  }
})

it('a drain ends without the poll of a client that is gone', async () => {
  const poller = await Poller.open()
  poller.socket.emit('news', 1)
  await drain()
  expect(poller.socket.connected).toBe(false)
  expect(await poller.poll()).toEqual(UNKNOWN)
})

it('what a client posts before it hears of the end is no error, as some clients give up then', async () => {
  const poller = await Poller.open()
  const [poll] = await poller.openPoll()
  await drain()
  expect(await poller.post('42["hello"]')).toEqual({ status: 200, body: 'ok' })
  expect(await poll).toEqual(UNKNOWN)
})

it('a poll ends in the same way when a packet is too long', async () => {
  const poller = await Poller.open()
  const [poll] = await poller.openPoll()
  expect(await poller.post(`42["x","${'x'.repeat(MAX_BYTES)}"]`)).toMatchObject({ status: 413 })
  expect(await poll).toEqual(UNKNOWN)
})

it('a poll ends in the same way when the heartbeat is lost', async () => {
  await server.close()
  await serve({ pingInterval: 1_000, pingTimeout: 1_000 })
  const poller = await Poller.open()
  const answers = [await poller.poll()]
  while (answers.at(-1)?.status === 200) answers.push(await poller.poll())
  expect(answers.at(-1)).toEqual(UNKNOWN)
  // Engine.IO's CLOSE packet.
  expect(answers.map(({ body }) => body)).not.toContain('1')
})

it('a poll ends in the same way when the application closes the connection', async () => {
  const poller = await Poller.open()
  const [poll] = await poller.openPoll()
  poller.socket.conn.close()
  expect(await poll).toEqual(UNKNOWN)
})

it.each([['polling'], ['websocket']])('stock clients reconnect after a drain, over %s', async (transport) => {
  const client = connect(url, { transports: [transport], forceNew: true, reconnectionDelay: 50 })
  try {
    const reasons: string[] = []
    client.on('disconnect', (reason) => reasons.push(reason))
    let connects = 0
    client.on('connect', () => {
      connects += 1
    })
    await until(() => connects === 1, 'connected')
    await drain()
    await until(() => connects === 2, 'connected again')
    expect(reasons).toEqual([transport === 'polling' ? 'transport error' : 'transport close'])
  } finally {
    client.disconnect()
  }
})

it('a client that has upgraded is closed as before', async () => {
  const client = connect(url, { transports: ['polling', 'websocket'], forceNew: true, reconnection: false })
  try {
    const ended = new Promise((resolve) => client.on('disconnect', resolve))
    await until(() => client.io.engine?.transport.name === 'websocket', 'upgraded')
    await until(() => server.engine.clientsCount === 1, 'the server has upgraded')
    await delay(0)
    await drain()
    expect(await ended).toBe('transport close')
  } finally {
    client.disconnect()
  }
})
