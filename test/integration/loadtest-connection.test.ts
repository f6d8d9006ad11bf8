/**
 * The load-test suite's connections with a Socket.IO server in this process: every client over every
 * transport.
 */
import { test as base, describe, expect } from 'vitest'
import type { ConnectionOptions } from '../../loadtest/connection/connection.ts'
import type { ClientKind, Transport } from '../../loadtest/model/plan.ts'
import { SocketServer, WatchedConnection } from '../harness/loadtest/watched-connection.ts'
import { Network } from '../harness/network/proxy.ts'
import { until } from '../harness/until.ts'

type Wanted = Partial<ConnectionOptions> & { url: string }

/** Everything that one test opens; closed after it. */
class Stage {
  readonly #ended: (() => unknown)[] = []

  async serve(...settings: Parameters<typeof SocketServer.on>): Promise<SocketServer> {
    const server = await SocketServer.on(...settings)
    this.#ended.push(() => server.close())
    return server
  }

  async network(server: SocketServer): Promise<Network> {
    const made = await Network.to(server.port)
    this.#ended.push(() => made.close())
    return made
  }

  watch(kind: ClientKind, options: Wanted): WatchedConnection {
    const watched = new WatchedConnection({ kind }, options)
    this.#ended.push(() => watched.connection.close())
    return watched
  }

  async close(): Promise<void> {
    for (const end of this.#ended.splice(0).toReversed()) await end()
  }
}

/** Several tests at a time: most of each is waiting for heartbeats and pauses. */
const test = base.extend<{ stage: Stage }>({
  stage: async ({ onTestFinished }, use) => {
    const stage = new Stage()
    onTestFinished(() => stage.close())
    await use(stage)
  },
})

const kinds: ClientKind[] = ['raw', 'stock']
const transports: Transport[] = ['websocket', 'polling', 'upgrade']
const all = kinds.flatMap((kind) => transports.map((transport) => ({ kind, transport })))
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

describe.concurrent.each(all)('$kind over $transport', ({ kind, transport }) => {
  const lasting = transport === 'polling' ? 'polling' : 'websocket'

  test('connects from its address, with its auth, and gets an answer', async ({ stage }) => {
    const server = await stage.serve()
    const client = stage.watch(kind, {
      url: server.url,
      transport,
      localAddress: '127.0.0.7',
      auth: { name: 'a', n: 1 },
    })
    expect(client.connection.connected).toBe(false)
    expect(client.connection.transport).toBeUndefined()
    await client.begun()
    expect(server.last.handshake.auth).toEqual({ name: 'a', n: 1 })
    expect(server.last.handshake.address).toBe('127.0.0.7')
    expect(await client.request('echo', { deep: ['ä\u{1f426}\x1e', null] })).toEqual({
      deep: ['ä\u{1f426}\x1e', null],
    })
    server.io.emit('news', { n: 7 })
    await client.told('news', 1)
    expect(client.payloads('news')).toEqual([{ n: 7 }])
  })

  test('really uses that transport', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    await until(() => server.last.conn.transport.name === lasting, `the server reports ${lasting}`)
    await until(() => client.connection.transport === lasting, `the client reports ${lasting}`)
    expect(await client.request('echo', 1)).toBe(1)
    if (kind === 'raw' && transport === 'websocket') expect(server.last.handshake.query.sid).toBeUndefined()
  })

  test('500 requests and 500 events right after the connect: none is lost, all in order', async ({
    stage,
  }) => {
    const server = await stage.serve()
    const heard: unknown[] = []
    server.io.on('connection', (socket) => {
      socket.on('tell', (payload, done) => {
        heard.push(payload)
        socket.emit('told', payload)
        setImmediate(() => done(payload))
      })
    })
    const client = stage.watch(kind, { url: server.url, transport })
    const answers = new Promise<unknown[]>((resolve, reject) => {
      client.onConnect = () => {
        Promise.all(tellInTurn(client, 500)).then(resolve, reject)
      }
    })
    await client.begun()
    expect(await answers).toEqual(numbers(500))
    await client.told('told', 500)
    expect(heard).toEqual(numbers(500))
    expect(client.payloads('told')).toEqual(numbers(500))
    expect(client.disconnects).toEqual([])
  })

  test('stays connected through heartbeats, even when it is idle for longer than its connections are kept', async ({
    stage,
  }) => {
    const server = await stage.serve(0, { pingInterval: 2_500, pingTimeout: 30_000 })
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    let beats = 0
    server.last.conn.on('heartbeat', () => {
      beats += 1
    })
    await until(() => beats >= 2, 'two pings are answered')
    expect(await client.request('echo', 1)).toBe(1)
    expect(client.disconnects).toEqual([])
  })

  test('reconnects after the server has restarted', async ({ stage }) => {
    const first = await SocketServer.on()
    const { port } = first
    const client = await stage.watch(kind, { url: first.url, transport }).begun()
    await until(() => client.connection.transport === lasting, `the client is on ${lasting}`)
    await first.close()
    await client.disconnected()
    await client.refused()
    expect(client.errors[0]).toMatch(/error/)
    const second = await stage.serve(port)
    await client.connected(2)
    expect(await client.request('echo', 2)).toBe(2)
    expect(second.sockets).toHaveLength(1)
  })

  test('a cut sends no disconnect, and the client reconnects', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    await until(() => client.connection.transport === lasting, `the client is on ${lasting}`)
    const asked = client.request('nobody answers', 1)
    client.connection.cut(300)
    expect(client.connection.connected).toBe(false)
    expect(client.disconnects).toEqual(['transport close'])
    await expect(asked).rejects.toMatchObject({ reason: 'disconnect' })
    await until(() => server.goodbyes.length === 1, 'the server notices')
    expect(server.goodbyes[0]).toMatch(/^transport (close|error)$/)
    expect(server.sockets).toHaveLength(1)
    await client.connected(2)
    expect(await client.request('echo', 2)).toBe(2)
  })

  test('is away for at least the duration of a cut', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    const cutAt = performance.now()
    client.connection.cut(1_500)
    client.connection.connect()
    await client.connected(2)
    // Timers may be early by a fraction of a millisecond, because they are rounded.
    expect(performance.now() - cutAt).toBeGreaterThan(1_499)
  })

  test('a cycle disconnects, and the client reconnects at once', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    client.connection.cycle()
    client.connection.cycle()
    expect(client.disconnects).toEqual(['io client disconnect'])
    await client.connected(2)
    await until(() => server.goodbyes.length === 1, 'the server sees the disconnect')
    expect(server.goodbyes).toEqual(['client namespace disconnect'])
    expect(await client.request('echo', 2)).toBe(2)
  })

  test('closed, the client disconnects, reports nothing more and stays away', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    client.connection.close()
    await until(() => server.goodbyes.length === 1, 'the server sees the disconnect')
    expect(server.goodbyes).toEqual(['client namespace disconnect'])
    client.connection.connect()
    client.connection.cut(0)
    client.connection.cycle()
    await until(() => server.io.engine.clientsCount === 0, 'no client is connected')
    expect(client.connection.connected).toBe(false)
    expect(client.disconnects).toEqual([])
    await expect(client.request('echo', 1)).rejects.toMatchObject({ reason: 'offline' })
  })

  test('reconnects when the server has closed the namespace', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    server.last.disconnect()
    await client.connected(2)
    expect(client.disconnects).toEqual(['io server disconnect'])
  })

  test('a refusal is reported by its code, and the client retries', async ({ stage }) => {
    const server = await stage.serve()
    let asked = 0
    server.io.use((_, next) => {
      asked += 1
      next(asked === 1 ? Object.assign(new Error('not you'), { data: { code: 'forbidden' } }) : undefined)
    })
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    expect(client.errors).toEqual(['forbidden'])
    expect(client.disconnects).toEqual([])
    expect(asked).toBe(2)
  })

  test('a namespace that does not exist', async ({ stage }) => {
    const server = await stage.serve()
    const client = stage.watch(kind, { url: `${server.url}/nowhere`, transport })
    client.connection.connect()
    await client.refused()
    expect(client.errors[0]).toBe('Invalid namespace')
    expect(client.connects).toBe(0)
  })

  test('a namespace that exists', async ({ stage }) => {
    const server = await stage.serve()
    server.io.of('/other').on('connection', (socket) => {
      socket.on('ask', (payload, done) => done([payload]))
      socket.emit('news', 1)
    })
    const client = await stage.watch(kind, { url: `${server.url}/other`, transport }).begun()
    expect(await client.request('ask', 5)).toEqual([5])
    await client.told('news', 1)
  })

  test('a silent server is detected by its missing pings', async ({ stage }) => {
    const server = await stage.serve(0, { pingInterval: 400, pingTimeout: 1_500 })
    const between = await stage.network(server)
    const client = await stage.watch(kind, { url: between.url, transport }).begun()
    between.hold()
    await client.disconnected()
    expect(client.disconnects[0]).toBe('ping timeout')
    between.breakAll()
    between.mend()
    await client.connected(2)
  })

  test('an answer is missing within the time-out, and arrives too late', async ({ stage }) => {
    const server = await stage.serve()
    const answers: ((answer: string) => void)[] = []
    server.io.on('connection', (socket) => {
      socket.on('slow', (_, done) => answers.push(done))
    })
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    await expect(client.request('slow', 1, 1)).rejects.toMatchObject({
      message: 'timeout',
      reason: 'timeout',
    })
    await until(() => answers.length === 1, 'the server has the request')
    answers[0]?.('late')
    expect(await client.request('echo', 'next')).toBe('next')
  })

  test('leaves a draining server after a random delay, and reconnects at once', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    server.io.emit('draining', { reconnectInMs: 100 })
    await client.connected(2)
    expect(client.payloads('draining')).toEqual([{ reconnectInMs: 100 }])
    expect(client.disconnects).toEqual(['io client disconnect'])
  })

  test('recovers missed events where the server supports recovery', async ({ stage }) => {
    const server = await stage.serve(0, { connectionStateRecovery: {} })
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    server.io.emit('news', 1)
    await client.told('news', 1)
    client.connection.cut(500)
    await until(() => server.goodbyes.length === 1, 'the server notices')
    server.io.emit('news', 2)
    await client.told('news', 2)
    expect(client.payloads('news')).toEqual([1, 2])
    expect(server.last.recovered).toBe(true)
  })

  test('sends back the cookie of a balancer', async ({ stage }) => {
    const server = await stage.serve(0, { cookie: { name: 'lb', path: '/' } })
    const seen = new Set<string>()
    server.http.on('request', (request) => seen.add(request.headers.cookie ?? 'none'))
    server.http.on('upgrade', (request) => seen.add(request.headers.cookie ?? 'none'))
    const client = await stage.watch(kind, { url: server.url, transport }).begun()
    expect(await client.request('echo', 1)).toBe(1)
    await until(() => client.connection.transport === lasting, `the client is on ${lasting}`)
    const cookies = [...seen].filter((cookie) => cookie !== 'none')
    // A client with WebSocket only makes one request, before it has a cookie.
    expect(cookies).toEqual(transport === 'websocket' ? [] : [expect.stringMatching(/^lb=[\w-]+$/)])
  })
})

function tellInTurn(client: WatchedConnection, count: number): Promise<unknown>[] {
  return numbers(count).map(async (n) => {
    // In several bursts, so that some fall into each stage of an upgrade.
    for (let turns = 0; turns < Math.floor(n / 25); turns += 1) await new Promise(setImmediate)
    return client.request('tell', n)
  })
}

describe.concurrent.each(kinds)('%s', (kind) => {
  test('stays on polling where the upgrade is refused', async ({ stage }) => {
    const server = await stage.serve()
    let refusals = 0
    server.http.prependListener('upgrade', (_, socket) => {
      refusals += 1
      socket.destroy()
    })
    const client = await stage.watch(kind, { url: server.url, transport: 'upgrade' }).begun()
    await until(() => refusals > 0, 'the upgrade is refused')
    expect(await client.request('echo', 1)).toBe(1)
    expect(client.connection.transport).toBe('polling')
    expect(client.disconnects).toEqual([])
  })

  test('a polling session that the server has forgotten: the client starts a new one', async ({ stage }) => {
    const server = await stage.serve()
    const client = await stage.watch(kind, { url: server.url, transport: 'polling' }).begun()
    // The answer of a worker without that session: 400, "Session ID unknown".
    Reflect.deleteProperty(Reflect.get(server.io.engine, 'clients'), Reflect.get(server.last.conn, 'id'))
    const asked = client.request('echo', 1)
    await expect(asked).rejects.toMatchObject({ reason: 'disconnect' })
    expect(client.disconnects).toEqual(['transport error'])
    await client.connected(2)
  })

  test('throttled to zero, it reads nothing more', async ({ stage }) => {
    const server = await stage.serve(0, { pingInterval: 60_000 })
    const client = await stage.watch(kind, { url: server.url, reads: 'never' }).begun()
    expect(await client.request('echo', 1)).toBe(1)
    client.connection.throttle()
    const { last } = server
    for (let i = 0; i < 400; i += 1) last.emit('much', 'x'.repeat(100_000))
    const stuckBytes = () => Number(Reflect.get(Reflect.get(last.conn.transport, 'socket'), 'bufferedAmount'))
    await until(() => stuckBytes() > 10_000_000, 'messages pile up at the server')
    await expect(client.request('echo', 2, 2_000)).rejects.toMatchObject({ reason: 'timeout' })
    expect(stuckBytes()).toBeGreaterThan(10_000_000)
    expect(client.payloads('much').length).toBeLessThan(20)
    client.connection.cut(0)
    await client.connected(2)
    expect(await client.request('echo', 3)).toBe(3)
  })

  test.for(transports)(
    'throttled to a rate over %s, it reads at that rate and no faster',
    async (transport, { stage }) => {
      const server = await stage.serve(0, { pingInterval: 60_000 })
      const client = await stage.watch(kind, { url: server.url, transport, reads: 500_000 }).begun()
      const lasting = transport === 'polling' ? 'polling' : 'websocket'
      await until(() => client.connection.transport === lasting, `the client is on ${lasting}`)
      client.connection.throttle()
      const begunAt = performance.now()
      const emit = async () => {
        for (let i = 0; i < 20; i += 1) {
          server.last.emit('much', 'x'.repeat(50_000))
          await client.told('much', i + 1)
        }
      }
      await emit()
      expect(client.payloads('much')).toHaveLength(20)
      // 950,000 bytes before the last message, at 500,000 per second.
      expect(performance.now() - begunAt).toBeGreaterThan(1_800)
    },
  )
})

describe.concurrent('raw', () => {
  test.for(transports)(
    'binary packets are not supported over %s: the client disconnects and reconnects',
    async (transport, { stage }) => {
      const server = await stage.serve()
      const client = await stage.watch('raw', { url: server.url, transport }).begun()
      server.last.emit('picture', Buffer.from('bytes'))
      await client.connected(2)
      expect(client.disconnects).toEqual(['parse error'])
    },
  )

  test('reports why it failed to connect', async ({ stage }) => {
    const server = await SocketServer.on()
    const { url } = server
    await server.close()
    const watched = transports.map((transport) => stage.watch('raw', { url, transport }))
    for (const client of watched) client.connection.connect()
    await Promise.all(watched.map((client) => client.refused()))
    expect(watched.map(({ errors }) => errors[0])).toEqual([
      'websocket error: ECONNREFUSED',
      'xhr poll error: ECONNREFUSED',
      'xhr poll error: ECONNREFUSED',
    ])
  })

  test('a refused handshake is reported with its status', async ({ stage }) => {
    const server = await stage.serve(0, { allowRequest: (_, decide) => decide(null, false) })
    const watched = transports.map((transport) => stage.watch('raw', { url: server.url, transport }))
    for (const client of watched) client.connection.connect()
    await Promise.all(watched.map((client) => client.refused()))
    expect(watched.map(({ errors }) => errors[0])).toEqual([
      'websocket error: 400',
      'xhr poll error: 403',
      'xhr poll error: 403',
    ])
  })
})
