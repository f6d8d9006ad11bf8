/** Every request of a session reaches its worker, on whichever host its connection arrives. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { hostTagOf } from '../../src/core/session-id.ts'
import {
  HANDSHAKE,
  heartbeat,
  metric,
  openSession,
  startHosts,
  UNKNOWN_SESSION,
} from '../harness/hand-off/forwarding-hosts.ts'
import type { HandOffHost } from '../harness/hand-off/host.ts'
import { expectAnswers, TRANSPORTS } from '../harness/hand-off/stock-clients.ts'
import { exchange, openRaw, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'
import { TcpBalancer } from '../harness/network/tcp-balancer.ts'
import { until } from '../harness/until.ts'

const MEBIBYTE = 1_048_576

let hosts: HandOffHost[] = []
let owner: HandOffHost
let other: HandOffHost
beforeAll(async () => {
  hosts = await startHosts(3)
  const [first, second] = hosts
  if (first === undefined || second === undefined) throw new Error('no hosts')
  owner = first
  other = second
})
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()))
})

/**
 * Sends to the host that does not have the session. @returns the bytes of the body as the worker counted them
 */
async function bytesReceived(...pieces: (string | Buffer)[]): Promise<number> {
  return JSON.parse((await exchange(other.port, ...pieces)).body).bytes
}

describe('on a host that does not have the session', () => {
  test('a request cut in two at any byte', async () => {
    const sid = await openSession(owner.port)
    const whole = heartbeat(sid)
    for (let at = 1; at < whole.length; at += 1) {
      const answer = await exchange(other.port, whole.slice(0, at), whole.slice(at))
      expect([answer.status, answer.body], `cut at ${at}`).toEqual([200, 'ok'])
    }
  })

  test('a body in pieces, in chunks, of 1 MB and of 24 MB', async () => {
    const head = `POST /a?sid=${await openSession(owner.port)} HTTP/1.1\r\nHost: a\r\n`
    expect(await bytesReceived(`${head}Content-Length: 6\r\n\r\n`, ...Array.from('pieces'))).toBe(6)
    expect(
      await bytesReceived(
        `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
        '2\r\nde\r\n',
        '0\r\n\r\n',
      ),
    ).toBe(5)
    for (const mebibytes of [1, 24]) {
      const length = mebibytes * MEBIBYTE
      const body = Array.from({ length: mebibytes }, () => Buffer.alloc(MEBIBYTE, 'x'))
      expect(await bytesReceived(`${head}Content-Length: ${length}\r\n\r\n`, ...body)).toBe(length)
    }
  })

  test('a large answer', async () => {
    const sid = await openSession(owner.port)
    const answer = await exchange(
      other.port,
      `GET /large?bytes=${8 * MEBIBYTE}&sid=${sid} HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    expect(answer.body).toHaveLength(8 * MEBIBYTE)
  })

  test("the client's address is the one that the first host saw, and no header is added", async () => {
    const socket = await openRaw(other.port)
    socket.write(
      `GET /address?sid=${await openSession(owner.port)} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n`,
    )
    const { localPort } = socket
    const { body } = parseAnswer(await readToEnd(socket))
    expect(JSON.parse(body)).toEqual({
      address: '127.0.0.1',
      port: localPort,
      headers: { host: 'a', 'x-forwarded-for': '1.2.3.4' },
    })
  })

  test('one answer, then the end of the connection, even with a second request right behind the first', async () => {
    const socket = await openRaw(other.port)
    socket.write(heartbeat(await openSession(owner.port)) + heartbeat(await openSession(other.port)))
    const answer = parseAnswer(await readToEnd(socket))
    expect([answer.status, answer.body, answer.headers.get('connection')]).toEqual([200, 'ok', 'close'])
  })

  test('a WebSocket that replaces polling, and its end from either side', async () => {
    const sid = await openSession(owner.port)
    const socket = new WebSocket(
      `ws://127.0.0.1:${other.port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`,
    )
    const said: string[] = []
    socket.on('message', (data: Buffer) => said.push(data.toString()))
    socket.on('open', () => socket.send('2probe'))
    await until(() => said.includes('3probe'), 'the probe is answered')
    socket.send('5')
    socket.send('40')
    await until(() => said.some((text) => text.startsWith('40{')), 'CONNECT is answered')
    expect(await metric(other, 'forward_joined')).toBe(1)
    socket.send('42["leave"]')
    await until(() => socket.readyState === WebSocket.CLOSED, 'the owner has closed')
    await until(async () => (await metric(other, 'forward_joined')) === 0, 'nothing passes through any more')

    const second = await openSession(owner.port)
    const left = new WebSocket(
      `ws://127.0.0.1:${other.port}/socket.io/?EIO=4&transport=websocket&sid=${second}`,
    )
    await until(() => left.readyState === WebSocket.OPEN, 'the connection is open')
    left.terminate()
    await until(async () => (await metric(other, 'forward_joined')) === 0, 'nothing passes through any more')
  })

  test('a client that has closed its side', async () => {
    const socket = await openRaw(other.port)
    socket.end(heartbeat(await openSession(owner.port)))
    await readToEnd(socket)
    await until(async () => (await metric(other, 'forward_joined')) === 0, 'nothing passes through any more')
  })
})

describe('a session that no host has', () => {
  test.each(['abcdef1-AAAAAAAAAAAAAAAAAAAAAAAA', 'x', '%00'])(
    'gets the answer of the protocol: %s',
    async (sid) => {
      const answer = await exchange(owner.port, heartbeat(sid))
      expect(answer.status).toBe(400)
      expect(answer.body).toContain(UNKNOWN_SESSION)
    },
  )

  test('gets it also when the host of its tag is there and its worker is not', async () => {
    const sent = await metric(other, 'forward_sent_total')
    const answer = await exchange(other.port, heartbeat(`${owner.tag}99-AAAAAAAAAAAAAAAAAAAAAAAA`))
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(UNKNOWN_SESSION)])
    expect(await metric(other, 'forward_sent_total')).toBe(sent + 1)
  })

  test('gets it also when its tag names a host that does not own it, which does not forward it again', async () => {
    const [first, second] = ['zzzzz1', 'zzzzz2']
    await other.knows(first, `127.0.0.1:${owner.forwardPort}`)
    await owner.knows(first, `127.0.0.1:${other.forwardPort}`)
    await other.knows(second, `127.0.0.1:${other.forwardPort}`)
    for (const tag of [first, second]) {
      const answer = await exchange(other.port, heartbeat(`${tag}1-AAAAAAAAAAAAAAAAAAAAAAAA`))
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(UNKNOWN_SESSION)])
    }
    expect(await metric(owner, 'forward_refused_total', { reason: 'not_here' })).toBe(1)
    expect(await metric(other, 'forward_refused_total', { reason: 'not_here' })).toBe(1)
  })

  test.each(['', 'nonsense', '127.0.0.1:99999', '127.0.0.1:', ':80', '[::1:80'])(
    'gets it also when the address of its host is %j',
    async (address) => {
      await other.knows('zzzzz3', address)
      const answer = await exchange(other.port, heartbeat('zzzzz31-AAAAAAAAAAAAAAAAAAAAAAAA'))
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(UNKNOWN_SESSION)])
    },
  )
})

describe('behind a balancer that picks a host at random for each connection', () => {
  let balancer: TcpBalancer
  beforeAll(async () => {
    balancer = await TcpBalancer.to(hosts.map(({ port }) => port))
  })
  afterAll(() => balancer.close())

  test('keep-alive connections serve several sessions in turn, each by its own worker', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const call = async (method: string, query: string, body?: string) => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const path = `/socket.io/?EIO=4&transport=polling${query}`
        request({ port: balancer.port, host: '127.0.0.1', method, path, agent }, resolve)
          .on('error', reject)
          .end(body)
      })
      return (await response.toArray()).join('')
    }
    const sessions: string[] = []
    for (let i = 0; i < 30; i += 1) {
      const { sid } = JSON.parse((await call('GET', '')).slice(1)) as { sid: string }
      sessions.push(sid)
    }
    expect(new Set(sessions.map(hostTagOf)).size).toBe(3)
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(sessions.map((sid) => call('POST', `&sid=${sid}`, '3')))
      expect(answers).toEqual(sessions.map(() => 'ok'))
    }
    agent.destroy()
  })

  test.each(TRANSPORTS)(
    '300 stock clients with %s are all served and leave nothing behind',
    async (_, transports, upgrades) => {
      const failures: string[] = []
      const clients = Array.from({ length: 300 }, () => {
        const client = io(balancer.url, { transports, forceNew: true, timeout: 60_000 })
        client.on('connect_error', (error) => failures.push(error.message))
        client.on('disconnect', (reason) => failures.push(reason))
        return client
      })
      await expectAnswers(clients, upgrades)
      expect(failures).toEqual([])
      for (const client of clients) client.off('disconnect').disconnect()
      await until(async () => {
        const open = await Promise.all(hosts.map((host) => metric(host, 'forward_joined')))
        return open.every((count) => count === 0)
      }, 'nothing passes through any more')
    },
  )
})

test('5,000 connections through the other host leave no descriptor open on either', async () => {
  const before = await Promise.all(hosts.map((host) => host.report()))
  const sent = await metric(other, 'forward_sent_total')
  const sid = await openSession(owner.port)
  let begun = 0
  const lane = async () => {
    while (begun < 5_000) {
      begun += 1
      const answer = await exchange(other.port, heartbeat(sid))
      expect(answer.body).toBe('ok')
    }
  }
  await Promise.all(Array.from({ length: 32 }, lane))
  expect(await metric(other, 'forward_sent_total')).toBe(sent + 5_000)
  for (const [n, host] of hosts.entries()) {
    const idle = before[n]?.descriptors ?? 0
    await until(async () => (await host.report()).descriptors <= idle, 'all descriptors are closed')
  }
}, 240_000)

test('no byte was lost, only expected failures occurred, and no connection is left', async () => {
  expect((await exchange(owner.port, HANDSHAKE)).status).toBe(200)
  for (const host of hosts) {
    await until(async () => (await host.report()).tcpHandles === 0, 'no handle is left')
    expect(await metric(host, 'front_swallowed_bytes_total')).toBe(0)
    expect(await metric(host, 'front_lost_total')).toBe(0)
    for (const reason of ['unreachable', 'timeout', 'crowded', 'no_secret', 'not_rookery']) {
      expect(await metric(host, 'forward_failed_total', { reason })).toBe(0)
    }
  }
})
