/** Between hosts: wrong secrets, recordings, garbage, hosts that hang or die, clients that do not read. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createAccept, createHello, createRequest } from '../../src/wire/forward.ts'
import {
  type HostsSettings,
  heartbeat,
  introduce,
  metric,
  openSession,
  startHosts,
  UNKNOWN_SESSION,
} from '../harness/hand-off/forwarding-hosts.ts'
import { HandOffHost } from '../harness/hand-off/host.ts'
import { listenPort } from '../harness/network/listen-port.ts'
import { exchange, openRaw, readToEnd } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

const MEBIBYTE = 1_048_576
const CHUNK = Buffer.alloc(MEBIBYTE, 'x')

/** Stops everything that a test started, the last first. */
const endings: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end()
})

async function twoHosts(settings: HostsSettings = {}): Promise<[HandOffHost, HandOffHost]> {
  const [owner, other] = await startHosts(2, { workers: 1, ...settings })
  if (owner === undefined || other === undefined) throw new Error('no hosts')
  endings.push(
    () => owner.stop(),
    () => other.stop(),
  )
  return [owner, other]
}

async function expectUnknown(port: number, sid: string): Promise<void> {
  const answer = await exchange(port, heartbeat(sid))
  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(UNKNOWN_SESSION)])
}

/** A WebSocket of that session through `host`; from now on the session uses it. */
async function takeOver(host: HandOffHost, sid: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${host.port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`)
  socket.on('error', () => undefined)
  await once(socket, 'open')
  socket.send('2probe')
  await once(socket, 'message')
  socket.send('5')
  return socket
}

/** Answers each connection to its own port with `serve`. @returns the address */
async function listenWith(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    serve(socket)
  })
  const port = await listenPort(server)
  endings.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${port}`
}

describe('a host that cannot prove its identity', () => {
  test('forwards nothing and receives nothing, and its clients must start new sessions', async () => {
    const [owner, other] = await twoHosts()
    const stranger = await HandOffHost.start({
      workers: 1,
      forward: { secrets: ['another secret than the others have'] },
    })
    endings.push(() => stranger.stop())
    await introduce(stranger, [owner])
    await introduce(other, [stranger])
    await expectUnknown(stranger.port, await openSession(owner.port))
    expect(await metric(owner, 'forward_refused_total', { reason: 'forged' })).toBe(1)
    expect(await metric(stranger, 'forward_failed_total', { reason: 'refused' })).toBe(1)
    await expectUnknown(other.port, await openSession(stranger.port))
    expect(await metric(stranger, 'forward_refused_total', { reason: 'forged' })).toBe(1)
    expect((await exchange(other.port, heartbeat(await openSession(owner.port)))).body).toBe('ok')
  })

  test('does neither without any secret', async () => {
    const [owner] = await twoHosts()
    const secretless = await HandOffHost.start({ workers: 1, forward: { secrets: [] } })
    endings.push(() => secretless.stop())
    await introduce(secretless, [owner])
    await introduce(owner, [secretless])
    await expectUnknown(secretless.port, await openSession(owner.port))
    expect(await metric(secretless, 'forward_failed_total', { reason: 'no_secret' })).toBe(1)
    await expectUnknown(owner.port, await openSession(secretless.port))
    expect(await metric(secretless, 'forward_refused_total', { reason: 'no_secret' })).toBe(1)
  })

  test('does not prevent a change of the secret, host by host', async () => {
    const [first, second] = [
      'the secret that was, of 32 bytes or more',
      'the one to come, of 32 bytes or more',
    ]
    const hosts = await Promise.all(
      [
        [first, second],
        [second, first],
      ].map((secrets) => HandOffHost.start({ workers: 1, forward: { secrets } })),
    )
    for (const host of hosts) {
      endings.push(() => host.stop())
      await introduce(host, hosts)
    }
    for (const owner of hosts) {
      const sid = await openSession(owner.port)
      for (const host of hosts) expect((await exchange(host.port, heartbeat(sid))).body).toBe('ok')
    }
  })

  test('cannot replay a recording, in either direction', async () => {
    const [owner, other] = await twoHosts()
    const requests: Buffer[] = []
    const answers: Buffer[] = []
    const recorder = await listenWith((socket) => {
      const real = connect(owner.forwardPort, '127.0.0.1').on('error', () => undefined)
      socket.on('data', (chunk) => requests.push(chunk))
      real.on('data', (chunk) => answers.push(chunk))
      socket.pipe(real).pipe(socket)
    })
    await other.knows(owner.tag, recorder)
    const sid = await openSession(owner.port)
    expect((await exchange(other.port, heartbeat(sid))).body).toBe('ok')

    const socket = connect(owner.forwardPort, '127.0.0.1')
    await once(socket, 'data')
    for (const chunk of requests) socket.write(chunk)
    expect(await readToEnd(socket)).toBe('')
    const refusals = ['forged', 'malformed'].map((reason) =>
      metric(owner, 'forward_refused_total', { reason }),
    )
    expect((await Promise.all(refusals)).reduce((sum, count) => sum + count)).toBe(1)

    const player = await listenWith((client) => {
      for (const chunk of answers) client.write(chunk)
    })
    await other.knows(owner.tag, player)
    await expectUnknown(other.port, sid)
    expect(await metric(other, 'forward_failed_total', { reason: 'not_rookery' })).toBe(1)
  })
})

const IMPOSTORS: [string, (socket: Socket) => unknown, string][] = [
  ['nothing but its end', (socket: Socket) => socket.end(), 'refused'],
  ['the end of the connection at once', (socket: Socket) => socket.resetAndDestroy(), 'unreachable'],
  ['HTTP', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), 'not_rookery'],
  [
    'a hello and garbage',
    (socket: Socket) => socket.write(Buffer.concat([createHello(CHUNK.subarray(0, 16)), CHUNK])),
    'not_rookery',
  ],
  [
    'a hello and an acceptance with another secret',
    (socket: Socket) => {
      socket.write(createHello(CHUNK.subarray(0, 16)))
      socket.on('data', (request) => socket.write(createAccept(request, 'another')))
    },
    'not_rookery',
  ],
  [
    'a hello and then nothing',
    (socket: Socket) => socket.write(createHello(CHUNK.subarray(0, 16))),
    'timeout',
  ],
  ['nothing', () => undefined, 'timeout'],
]

describe('in place of a host, a server', () => {
  let owner: HandOffHost
  let other: HandOffHost
  /** Like `other`, but with an answer time-out that is short enough to wait for. */
  let hasty: HandOffHost

  beforeAll(async () => {
    const [first, second] = await startHosts(2, { workers: 1 })
    const [third] = await startHosts(1, { workers: 1, forwards: { dialTimeoutMs: 500 } })
    if (first === undefined || second === undefined || third === undefined) throw new Error('no hosts')
    owner = first
    other = second
    hasty = third
  })
  afterAll(() => Promise.all([owner.stop(), other.stop(), hasty.stop()]))

  test.each(IMPOSTORS)('that answers with %s', async (_, serve, reason) => {
    const host = reason === 'timeout' ? hasty : other
    const before = await metric(host, 'forward_failed_total')
    const because = await metric(host, 'forward_failed_total', { reason })
    await host.knows(owner.tag, await listenWith(serve))
    await expectUnknown(host.port, await openSession(owner.port))
    expect(await metric(host, 'forward_failed_total', { reason })).toBe(because + 1)
    expect(await metric(host, 'forward_failed_total')).toBe(before + 1)
    expect(await metric(host, 'forward_opening')).toBe(0)
  })
})

describe('the listener for other hosts', () => {
  test('survives garbage, resets and silence, and still admits hosts that prove themselves', async () => {
    const [owner, other] = await twoHosts({
      forwards: { preambles: 20, preambleTimeoutMs: 1_000 },
    })
    const hello = createHello(Buffer.alloc(16))
    const request = { to: owner.tag, nonce: 'x', client: { address: '::1', port: 1 } }
    const noise = ['', 'GET / HTTP/1.1\r\n\r\n', 'RKF1', 'RKF1\xff\xff', createRequest(request, hello, 'x')]
    for (const bytes of noise) {
      for (let n = 0; n < 10; n += 1) {
        const socket = await openRaw(owner.forwardPort)
        socket.on('error', () => undefined)
        if (bytes.length > 0) socket.write(bytes)
        if (n % 2 === 0) socket.resetAndDestroy()
        else endings.push(() => void socket.destroy())
      }
    }
    const silent = await Promise.all(Array.from({ length: 60 }, () => openRaw(owner.forwardPort)))
    for (const socket of silent) socket.on('error', () => undefined)
    expect((await exchange(other.port, heartbeat(await openSession(owner.port)))).body).toBe('ok')
    await until(
      async () => (await metric(owner, 'forward_pending_preambles')) === 0,
      'all connections are closed',
    )
    for (const reason of ['malformed', 'forged', 'crowded', 'too_slow']) {
      expect(await metric(owner, 'forward_refused_total', { reason }), reason).toBeGreaterThan(0)
    }
    for (const socket of silent) socket.destroy()
  })
})

describe('an owner that', () => {
  test('dies ends what passed through to it, at once, and its sessions are unknown', async () => {
    const [owner, other] = await twoHosts()
    const sid = await openSession(owner.port)
    const socket = await takeOver(other, sid)
    const polling = await openSession(owner.port)
    const poll = `GET /socket.io/?EIO=4&transport=polling&sid=${polling} HTTP/1.1\r\nHost: a\r\n\r\n`
    const connected = `POST /socket.io/?EIO=4&transport=polling&sid=${polling} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n40`
    await exchange(other.port, connected)
    await exchange(other.port, poll)
    const joined = (count: number) => async () => (await metric(other, 'forward_joined')) === count
    await until(joined(1), 'the answered requests are over')
    const waiting = openRaw(other.port).then((raw) => {
      raw.write(poll)
      return readToEnd(raw)
    })
    await until(joined(2), 'both connections pass through')
    owner.signal('SIGKILL')
    await once(socket, 'close')
    expect(await waiting).toBe('')
    await until(joined(0), 'nothing passes through any more')
    await expectUnknown(other.port, polling)
    expect(await metric(other, 'forward_failed_total', { reason: 'unreachable' })).toBe(1)
  })

  test('loses the worker of a session keeps the other sessions', async () => {
    const [owner, other] = await twoHosts({ workers: 2 })
    const sids = await Promise.all(Array.from({ length: 4 }, () => openSession(owner.port)))
    const ofFirst = sids.find((sid) => sid.startsWith(`${owner.tag}1-`)) ?? ''
    const ofSecond = sids.find((sid) => sid.startsWith(`${owner.tag}2-`)) ?? ''
    const socket = await takeOver(other, ofFirst)
    await owner.kill('w1')
    await once(socket, 'close')
    await expectUnknown(other.port, ofFirst)
    expect((await exchange(other.port, heartbeat(ofSecond))).body).toBe('ok')
  })

  test('is paused costs each request a bounded time, and is used again when it resumes', async () => {
    const [owner, other] = await twoHosts({ forwards: { dialTimeoutMs: 500, dialsPerHost: 5 } })
    const sid = await openSession(owner.port)
    owner.signal('SIGSTOP')
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(other.port, heartbeat(sid))))
    for (const { status } of answers) expect(status).toBe(400)
    expect(await metric(other, 'forward_failed_total', { reason: 'timeout' })).toBe(5)
    expect(await metric(other, 'forward_failed_total', { reason: 'crowded' })).toBe(15)
    owner.signal('SIGCONT')
    await until(
      async () => (await exchange(other.port, heartbeat(sid))).body === 'ok',
      'the owner serves its session',
    )
  })

  test('is reported as dead is no longer waited for', async () => {
    const [owner, other] = await twoHosts()
    const sid = await openSession(owner.port)
    const socket = await takeOver(other, sid)
    await other.hostGone(owner.tag)
    await once(socket, 'close')
    await expectUnknown(other.port, sid)
    expect(await metric(other, 'forward_failed_total', { reason: 'unknown_host' })).toBe(1)
  })
})

describe('a connection that passes through', () => {
  test('is closed when it is idle for too long', async () => {
    const [owner, other] = await twoHosts({ forwards: { idleMs: 500 } })
    const socket = await takeOver(other, await openSession(owner.port))
    await once(socket, 'close')
    expect(await metric(other, 'forward_idle_total')).toBeGreaterThan(0)
    await until(async () => (await metric(other, 'forward_joined')) === 0, 'nothing passes through any more')
  })

  test('is moved when its host stops, spread over time', async () => {
    const [owner, other] = await twoHosts()
    const sids = await Promise.all(Array.from({ length: 10 }, () => openSession(owner.port)))
    const sockets = await Promise.all(sids.map((sid) => takeOver(other, sid)))
    const closed = sockets.map((socket) => once(socket, 'close'))
    await other.moveForwarded(1_000)
    await Promise.race(closed)
    expect(await metric(other, 'forward_joined')).toBeGreaterThan(0)
    await Promise.all(closed)
    await until(async () => (await metric(other, 'forward_joined')) === 0, 'nothing passes through any more')
  })

  test('is one of a limited number; excess sessions are served here', async () => {
    const [owner, other] = await twoHosts({ forwards: { forwards: 2 } })
    const sids = await Promise.all(Array.from({ length: 3 }, () => openSession(owner.port)))
    const [first = '', second = '', third = ''] = sids
    const sockets = [await takeOver(other, first), await takeOver(other, second)]
    await expectUnknown(other.port, third)
    expect(await metric(other, 'forward_failed_total', { reason: 'crowded' })).toBe(1)
    for (const socket of sockets) socket.terminate()
    await until(
      async () => (await exchange(other.port, heartbeat(third))).body === 'ok',
      'a connection is free again',
    )
  })

  test('costs little memory, whichever side does not read', async () => {
    const [owner, other] = await twoHosts()
    const sid = await openSession(owner.port)
    const before = await Promise.all([owner.resetPeak(), other.resetPeak()])
    const blocked = owner.tell('w1', { type: 'test:block', ms: 3_000 })
    expect(await upload(other.port, sid, 200)).toBe(200 * MEBIBYTE)
    await blocked

    const readers = await Promise.all(Array.from({ length: 4 }, () => openRaw(other.port)))
    for (const socket of readers) {
      socket.pause()
      socket.write(`GET /large?bytes=${50 * MEBIBYTE}&sid=${sid} HTTP/1.1\r\nHost: a\r\n\r\n`)
    }
    await until(
      async () => (await metric(other, 'forward_joined')) === 4,
      'all four connections pass through',
    )
    const sizes = readers.map(async (socket) => (await readToEnd(socket.resume())).length)
    for (const size of await Promise.all(sizes)) expect(size).toBeGreaterThan(50 * MEBIBYTE)
    for (const [n, host] of [owner, other].entries()) {
      const { peakRss } = await host.report()
      // Of 200 MiB, twice, that were not read for a while; Node decides when memory is freed.
      expect(peakRss - (before[n] ?? 0)).toBeLessThan(80 * MEBIBYTE)
    }
  })
})

/** @returns the bytes of the body as the worker counted them */
async function upload(port: number, sid: string, mebibytes: number): Promise<number> {
  const socket = await openRaw(port)
  const answer = readToEnd(socket)
  socket.write(`POST /a?sid=${sid} HTTP/1.1\r\nHost: a\r\nContent-Length: ${mebibytes * MEBIBYTE}\r\n\r\n`)
  for (let sent = 0; sent < mebibytes; sent += 1) {
    if (!socket.write(CHUNK)) await once(socket, 'drain')
  }
  const text = await answer
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).bytes
}
