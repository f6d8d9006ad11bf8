/** Every request of a session reaches its worker, over any transport, split, header or kept-alive connection. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ownerOf } from '../../src/core/session-id.ts'
import { HandOffHost, metricSum } from '../harness/hand-off/host.ts'
import { TRANSPORTS, untilUpgraded } from '../harness/hand-off/stock-clients.ts'
import { exchange, openRaw, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'
import { connectRaw } from '../harness/network/raw-socket-io.ts'
import { until } from '../harness/until.ts'

/** An owner is the host's tag and the worker's number. */
const HOST_TAG_CHARS = 6
const HANDSHAKE = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n'
/** A heartbeat: answered with `ok` by the session's worker, and with 400 by all others. */
const heartbeat = (sid: string) =>
  `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\n` +
  'Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 1\r\n\r\n3'

let host: HandOffHost
beforeAll(async () => {
  host = await HandOffHost.start({ workers: 3, limits: { admissionPerSecond: 0 } })
})
afterAll(() => host.stop())

async function openSession(): Promise<string> {
  const answer = await exchange(host.port, HANDSHAKE)
  return sessionIdIn(answer.body)
}

function sessionIdIn(handshake: string): string {
  const { sid } = JSON.parse(handshake.slice(1)) as { sid: string }
  return sid
}

test('a request cut in two at any byte', async () => {
  const sid = await openSession()
  const whole = heartbeat(sid)
  for (let at = 1; at < whole.length; at += 1) {
    const answer = await exchange(host.port, whole.slice(0, at), whole.slice(at))
    expect([answer.status, answer.body], `cut at ${at}`).toEqual([200, 'ok'])
  }
})

test('a request that arrives byte by byte', async () => {
  const answer = await exchange(host.port, ...Array.from(heartbeat(await openSession())))
  expect([answer.status, answer.body]).toEqual([200, 'ok'])
})

test('a session id in a cookie or in another header is ignored', async () => {
  const sid = await openSession()
  const headers = `Host: a\r\nCookie: sid=${sid}\r\nReferer: http://a/?sid=${sid}\r\nX-Sid: ${sid}\r\n\r\n`
  const workers = new Set<string>()
  for (let i = 0; i < 6; i += 1) {
    const plain = await exchange(host.port, `GET /a HTTP/1.1\r\n${headers}`)
    workers.add(JSON.parse(plain.body).worker)
    const handshake = await exchange(
      host.port,
      `GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n${headers}`,
    )
    expect(handshake.status).toBe(200)
  }
  expect(workers.size).toBe(3)
})

test('a session that no worker has gets the answer of the protocol', async () => {
  for (const sid of ['abcdef1-AAAAAAAAAAAAAAAAAAAAAAAA', 'x', '%00']) {
    const answer = await exchange(host.port, heartbeat(sid))
    expect(answer.status).toBe(400)
    expect(answer.body).toContain('{"code":1,"message":"Session ID unknown"}')
  }
})

describe('keep-alive connections of a proxy', () => {
  test('serve several sessions in turn, each by its own worker', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    const call = async (method: string, query: string, body?: string) => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const path = `/socket.io/?EIO=4&transport=polling${query}`
        request({ port: host.port, host: '127.0.0.1', method, path, agent }, resolve)
          .on('error', reject)
          .end(body)
      })
      expect(response.headers.connection).toBe('close')
      return (await response.toArray()).join('')
    }
    const sessions: string[] = []
    for (let i = 0; i < 6; i += 1) sessions.push(sessionIdIn(await call('GET', '')))
    expect(new Set(sessions.map((sid) => sid.split('-', 1)[0])).size).toBe(3)
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(sessions.map((sid) => call('POST', `&sid=${sid}`, '3')))
      expect(answers).toEqual(sessions.map(() => 'ok'))
    }
    agent.destroy()
  })

  test('get one answer and are closed, even with a second request right behind the first', async () => {
    const [first, second] = [await openSession(), await openSession()]
    const socket = await openRaw(host.port)
    socket.write(heartbeat(first) + heartbeat(second))
    const answer = parseAnswer(await readToEnd(socket))
    expect([answer.status, answer.body, answer.headers.get('connection')]).toEqual([200, 'ok', 'close'])
  })
})

describe.each(TRANSPORTS)('stock clients with %s', (_, transports, upgrades) => {
  test('connect, get an answer, and leave nothing behind', async () => {
    const clients = Array.from({ length: 30 }, () => io(host.url, { transports, forceNew: true }))
    const failures: string[] = []
    for (const client of clients) client.on('connect_error', (error) => failures.push(error.message))
    const answers = await Promise.all(clients.map((client) => client.emitWithAck('echo', 'hello')))
    expect(new Set(answers.map(({ worker }) => worker)).size).toBe(3)
    if (upgrades) {
      await untilUpgraded(clients)
      await Promise.all(clients.map((client) => client.emitWithAck('echo', 'again')))
    }
    expect(failures).toEqual([])
    for (const client of clients) client.disconnect()
  })
})

test('a WebSocket whose upgrade says Content-Length: 0', async () => {
  const session = await connectRaw(host.port, undefined, { 'Content-Length': '0' })
  session.close()
})

test('a draining worker keeps its sessions and gets no new ones', async () => {
  await host.fork()
  await host.until(() => host.ready.size === 4)
  const drained = [...host.ready.keys()].at(-1) ?? ''
  const sessions = await Promise.all(Array.from({ length: 60 }, openSession))
  const isOfDrained = (sid: string) => ownerOf(sid)?.slice(HOST_TAG_CHARS) === drained.slice(1)
  const ofDrained = sessions.filter(isOfDrained)
  expect(ofDrained.length).toBeGreaterThan(0)
  await host.drain(drained)
  for (const sid of ofDrained) expect((await exchange(host.port, heartbeat(sid))).body).toBe('ok')
  for (let i = 0; i < 12; i += 1) {
    expect(isOfDrained(await openSession())).toBe(false)
    const plain = await exchange(host.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(JSON.parse(plain.body).worker).not.toBe(drained)
  }
  await host.kill(drained)
  await host.until(() => host.ended.includes(drained))
  for (const sid of ofDrained) expect((await exchange(host.port, heartbeat(sid))).status).toBe(400)
})

test('no connection is left in the primary, and none of their bytes was lost', async () => {
  await until(async () => (await host.report()).tcpHandles === 0, 'no handle is left')
  const report = await host.report()
  expect(metricSum(report, 'rookery_front_swallowed_bytes_total')).toBe(0)
  expect(metricSum(report, 'rookery_front_lost_total')).toBe(0)
})
