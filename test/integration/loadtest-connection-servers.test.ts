/**
 * The load-test suite's connections with real targets: this project with its chat and with an application,
 * and plain WebSockets.
 */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ClientKind, Transport } from '../../loadtest/model/plan.ts'
import { type RunningRookery, startRookery, UNLIMITED_RATES } from '../harness/cluster/cluster.ts'
import { WatchedConnection } from '../harness/loadtest/watched-connection.ts'
import { until } from '../harness/until.ts'

const APP = fileURLToPath(new URL('../../loadtest/apps/bench.js', import.meta.url))
const BARE = new URL('../../loadtest/apps/bare.js', import.meta.url).href

const kinds: ClientKind[] = ['raw', 'stock']
const transports: Transport[] = ['websocket', 'polling', 'upgrade']
const all = kinds.flatMap((kind) => transports.map((transport) => ({ kind, transport })))

const open: WatchedConnection[] = []
const kept = (connection: WatchedConnection) => {
  open.push(connection)
  return connection
}
afterEach(() => {
  for (const { connection } of open.splice(0)) connection.close()
})

describe('the chat', () => {
  let rookery: RunningRookery
  beforeAll(async () => {
    rookery = await startRookery({ env: UNLIMITED_RATES })
  })
  afterAll(() => rookery.stop())

  test.each(all)(
    '$kind over $transport: two guests exchange messages, across a cut',
    async ({ kind, transport }) => {
      const room = `room-${kind}-${transport}`
      const guest = (name: string) => {
        const auth = { name, key: `the secret key of ${name} ${kind} ${transport}` }
        return kept(
          new WatchedConnection({ kind, dialect: 'chat' }, { url: rookery.url, transport, auth }),
        ).begun()
      }
      const [one, two] = await Promise.all([guest('one'), guest('two')])
      for (const client of [one, two])
        expect(await client.request('room:join', { room })).toMatchObject({ ok: true })
      const sends = Array.from({ length: 100 }, (_, i) =>
        one.request('message:send', { room, id: `m${i}`, text: `${i}` }),
      )
      expect(await Promise.all(sends)).toMatchObject(sends.map(() => ({ ok: true, duplicate: false })))
      await two.told('message', 100)
      expect(two.payloads('message')).toMatchObject(sends.map((_, i) => ({ seq: i + 1, text: `${i}` })))
      two.connection.cut(0)
      await two.connected(2)
      expect(await two.request('room:join', { room, after: 98 })).toMatchObject({ ok: true, head: 100 })
    },
  )

  test.each(kinds)('%s: the client leaves a draining worker, and finds another', async (kind) => {
    const guests = await Promise.all(
      transports.map((transport) => {
        const auth = { name: transport, key: `the secret key of ${transport}` }
        return kept(
          new WatchedConnection({ kind, dialect: 'chat' }, { url: rookery.url, transport, auth }),
        ).begun()
      }),
    )
    rookery.signal('SIGHUP')
    for (const guest of guests) {
      await guest.told('draining', 1)
      await guest.connected(2)
      expect(await guest.request('room:join', { room: 'anew' })).toMatchObject({ ok: true })
    }
  })

  test.each(kinds)('%s: a client that is not a guest is refused with a code', async (kind) => {
    const recordForeign = kept(
      new WatchedConnection({ kind, dialect: 'chat' }, { url: rookery.url, auth: {} }),
    )
    recordForeign.connection.connect()
    await recordForeign.refused()
    expect(recordForeign.errors[0]).toBe('bad_request')
  })
})

describe('an application on several workers', () => {
  test.each(kinds)('%s: the clients of killed workers reconnect', async (kind) => {
    const rookery = await startRookery({ args: ['--app', APP] })
    try {
      const clients = await Promise.all(
        [...transports, ...transports].map((transport) =>
          kept(new WatchedConnection({ kind }, { url: rookery.url, transport })).begun(),
        ),
      )
      const joinAll = () =>
        Promise.all(clients.map((client) => client.request('join', { rooms: ['hall', 'yard'] })))
      expect(await joinAll()).toEqual(clients.map(() => ({ ok: true })))
      await publish(clients, 'hall', 'before')
      rookery.killWorker(0)
      rookery.killWorker(1)
      await Promise.all(clients.map((client) => client.connected(2)))
      expect(await joinAll()).toEqual(clients.map(() => ({ ok: true })))
      await publish(clients, 'yard', 'after')
    } finally {
      await rookery.stop()
    }
  })
})

async function publish(clients: readonly WatchedConnection[], room: string, id: string): Promise<void> {
  expect(await clients[0]?.request('publish', { room, id, text: 't' })).toEqual({ ok: true })
  const has = (client: WatchedConnection) =>
    client
      .payloads('message')
      .some((message) => JSON.stringify(message) === JSON.stringify({ room, id, text: 't' }))
  await until(() => clients.every(has), `${id} is shown to all`)
}

describe('plain WebSockets', () => {
  let http: HttpServer
  let sockets: WebSocketServer
  let url: string
  const last: { socket?: WebSocket } = {}
  beforeAll(async () => {
    http = createServer()
    sockets = new WebSocketServer({ server: http, path: '/bare' })
    const bare: { default(server: WebSocketServer): void } = await import(BARE)
    bare.default(sockets)
    sockets.on('connection', (socket) => {
      last.socket = socket
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/bare`
  })
  afterAll(() => {
    for (const socket of sockets.clients) socket.terminate()
    http.close()
  })

  const client = () =>
    kept(new WatchedConnection({ kind: 'raw', dialect: 'bare' }, { url, localAddress: '127.0.0.9' }))

  test('requests, broadcasts, a cut and a reconnect cycle', async () => {
    const [one, two] = await Promise.all([client().begun(), client().begun()])
    for (const each of [one, two]) expect(await each.request('join', { rooms: ['r'] })).toEqual({ ok: true })
    await publish([one, two], 'r', 'first')
    two.connection.cut(100)
    expect(two.disconnects).toEqual(['transport close'])
    await two.connected(2)
    two.connection.cycle()
    await two.connected(3)
    expect(two.disconnects).toEqual(['transport close', 'io client disconnect'])
    expect(await two.request('join', { rooms: ['r'] })).toEqual({ ok: true })
    await publish([one, two], 'r', 'second')
    await until(() => sockets.clients.size === 2, 'the other connections are closed')
  })

  test('an invalid packet ends the connection, and the client reconnects', async () => {
    const one = await client().begun()
    last.socket?.send('{"neither":1}')
    await one.connected(2)
    expect(one.disconnects).toEqual(['parse error'])
  })
})
