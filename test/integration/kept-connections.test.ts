/** Connections that stay open between requests, whichever workers the requests are for. */
import { once } from 'node:events'
import { Agent, get, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HANDSHAKE, heartbeat } from '../harness/hand-off/forwarding-hosts.ts'
import { HandOffHost, metricSum } from '../harness/hand-off/host.ts'
import { openRaw } from '../harness/network/raw-http.ts'
import { otherNodes } from '../harness/node-versions.ts'
import { until } from '../harness/until.ts'

const WORKERS = 3
const SETTINGS = { workers: WORKERS, limits: { admissionPerSecond: 0, headBytes: 16_384 } }

let host: HandOffHost
beforeAll(async () => {
  host = await HandOffHost.start({ ...SETTINGS, keepAliveMs: 600_000 })
})
afterAll(() => host.stop())

const metric = async (name: string) => metricSum(await host.report(), `rookery_front_${name}`)

interface Answer {
  status: number
  body: string
}

/** Reads one answer after another from a connection that stays open. */
class KeptClient {
  readonly socket: Socket
  readonly #answers: Answer[] = []
  #text = ''
  #isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#text += text
      this.#take()
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#isClosed = true
    })
  }

  static async open(port: number): Promise<KeptClient> {
    return new KeptClient(await openRaw(port))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async ask(...pieces: string[]): Promise<Answer> {
    for (const piece of pieces) {
      await new Promise((resolve) => this.socket.write(piece, 'latin1', resolve))
      await new Promise(setImmediate)
    }
    return this.next()
  }

  async next(): Promise<Answer> {
    await until(() => this.#answers.length > 0 || this.#isClosed, 'an answer')
    const answer = this.#answers.shift()
    if (answer === undefined) throw new Error('closed without an answer')
    return answer
  }

  #take(): void {
    for (;;) {
      const head = /^HTTP\/1\.1 ([0-9]{3}) [^]*?\r\n\r\n/.exec(this.#text)
      if (head === null) return
      const length = Number(/\r\ncontent-length: ([0-9]+)\r\n/i.exec(head[0])?.[1] ?? 0)
      if (this.#text.length < head[0].length + length) return
      const body = this.#text.slice(head[0].length, head[0].length + length)
      this.#answers.push({ status: Number(head[1]), body })
      this.#text = this.#text.slice(head[0].length + length)
    }
  }
}

const plain = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** One session of each worker. */
async function sessions(on = host): Promise<string[]> {
  const byWorker = new Map<string, string>()
  const client = await KeptClient.open(on.port)
  while (byWorker.size < WORKERS) {
    const { sid } = JSON.parse((await client.ask(HANDSHAKE)).body.slice(1)) as { sid: string }
    byWorker.set(sid.slice(0, sid.indexOf('-')), sid)
  }
  client.socket.destroy()
  return [...byWorker.values()]
}

async function expectPipelinedAnswers(on: HandOffHost): Promise<void> {
  const all = await sessions(on)
  const client = await KeptClient.open(on.port)
  const requests = Array.from({ length: 30 }, (_, n) => [
    heartbeat(all[n % all.length] ?? ''),
    post(`/?n=${n}`, 'x'.repeat(n * 50)),
  ])
  // Cut at places that have nothing to do with the requests.
  const pieces =
    requests
      .flat()
      .join('')
      .match(/[^]{1,700}/g) ?? []
  for (const piece of pieces) {
    client.socket.write(piece, 'latin1')
    await new Promise(setImmediate)
  }
  for (let n = 0; n < 30; n += 1) {
    expect(await client.next()).toEqual({ status: 200, body: 'ok' })
    expect(JSON.parse((await client.next()).body)).toMatchObject({ url: `/?n=${n}`, bytes: n * 50 })
  }
  const report = await on.report()
  expect(metricSum(report, 'rookery_front_swallowed_bytes_total')).toBe(0)
  expect(metricSum(report, 'rookery_front_handed_back_total')).toBeGreaterThan(0)
  client.socket.destroy()
}

describe('one connection', () => {
  test('carries requests of sessions of all workers, in order, without a new connection', async () => {
    const all = await sessions()
    const before = await metric('connections_total')
    const client = await KeptClient.open(host.port)
    for (let round = 0; round < 20; round += 1) {
      for (const sid of all) expect(await client.ask(heartbeat(sid))).toEqual({ status: 200, body: 'ok' })
      expect((await client.ask(plain(`/${round}`))).body).toContain(`"/${round}"`)
    }
    expect(await metric('connections_total')).toBe(before + 1)
    expect(await metric('handed_back_total')).toBeGreaterThan(20)
    expect(await metric('swallowed_bytes_total')).toBe(0)
    client.socket.destroy()
  })

  test('carries pipelined requests for several workers, answered in order', async () => {
    await expectPipelinedAnswers(host)
  })

  test.each(otherNodes)('does so on Node $major', async ({ path }) => {
    const other = await HandOffHost.start({ ...SETTINGS, keepAliveMs: 600_000 }, path)
    try {
      await expectPipelinedAnswers(other)
    } finally {
      await other.stop()
    }
  })

  test('that switches to WebSocket does so at the worker of its session', async () => {
    const all = await sessions()
    for (const sid of all) {
      const client = await KeptClient.open(host.port)
      expect((await client.ask(plain('/first'))).status).toBe(200)
      const upgraded = once(client.socket, 'data')
      client.socket.write(
        `GET /socket.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n` +
          'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      )
      expect(String(await upgraded)).toMatch(/^HTTP\/1\.1 101 /)
      client.socket.destroy()
    }
  })

  test('spreads the sessions that it opens over all workers', async () => {
    const client = await KeptClient.open(host.port)
    const owners = new Set<string>()
    for (let n = 0; n < 12; n += 1) {
      const { body } = await client.ask(HANDSHAKE)
      const { sid } = JSON.parse(body.slice(1)) as { sid: string }
      owners.add(sid.slice(0, sid.indexOf('-')))
    }
    expect(owners.size).toBe(WORKERS)
    client.socket.destroy()
  })

  test('gets the answers of the primary, and its limits hold on each request', async () => {
    const client = await KeptClient.open(host.port)
    expect((await client.ask(plain('/a'))).status).toBe(200)
    expect(await client.ask(plain('/healthz'))).toEqual({ status: 200, body: '{"status":"ok"}\n' })
    await until(() => client.isClosed, 'the primary closes it after its answer')
    for (const [bad, status] of [
      ['GET / HTTP/1.1\nHost: a\n\n', 400],
      [`GET / HTTP/1.1\r\nA: ${'b'.repeat(20_000)}`, 431],
    ] as const) {
      const next = await KeptClient.open(host.port)
      expect((await next.ask(plain('/a'))).status).toBe(200)
      expect((await next.ask(bad)).status).toBe(status)
      await until(() => next.isClosed, 'it is closed')
    }
  })

  test('with a head in pieces is served, wherever it is cut', async () => {
    const all = await sessions()
    const client = await KeptClient.open(host.port)
    expect((await client.ask(plain('/a'))).status).toBe(200)
    for (const sid of all) {
      const text = heartbeat(sid)
      for (const at of [1, 20, text.length - 4, text.length - 1])
        expect(await client.ask(text.slice(0, at), text.slice(at))).toEqual({ status: 200, body: 'ok' })
    }
    client.socket.destroy()
  })

  test.each([
    ['asks for its end', 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['is HTTP/1.0', 'GET /a HTTP/1.0\r\n\r\n'],
    [
      'has a chunked body',
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    ],
  ])('ends with the response to a request that %s', async (_, request) => {
    const client = await KeptClient.open(host.port)
    expect((await client.ask(plain('/a'))).status).toBe(200)
    client.socket.write(request)
    await until(() => client.isClosed, 'it is closed')
    expect((await client.next()).status).toBe(200)
  })

  test('is closed by a length that two readers could understand in two ways', async () => {
    for (const lines of [
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
    ]) {
      const client = await KeptClient.open(host.port)
      expect((await client.ask(plain('/a'))).status).toBe(200)
      expect((await client.ask(`POST /a HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\nhello!`)).status).toBe(400)
      await until(() => client.isClosed, 'it is closed')
    }
  })
})

describe('clients with keep-alive agents', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  test('use one connection for many requests', async () => {
    const before = await metric('connections_total')
    for (let n = 0; n < 50; n += 1) {
      const [response] = await once(get(`${host.url}/${n}`, { agent }), 'response')
      response.resume()
      await once(response, 'end')
      expect(response.headers).toMatchObject({ connection: 'keep-alive', 'keep-alive': 'timeout=600' })
    }
    expect(await metric('connections_total')).toBe(before + 1)
  })

  test('send a large body over it, which arrives whole', async () => {
    for (const bytes of [1_000_000, 3, 70_000]) {
      const sent = httpRequest(`${host.url}/upload`, { agent, method: 'POST' })
      sent.setHeader('Content-Length', bytes)
      sent.end(Buffer.alloc(bytes, 'x'))
      const [response] = await once(sent, 'response')
      response.setEncoding('utf8')
      let body = ''
      for await (const text of response) body += text
      expect(JSON.parse(body)).toMatchObject({ bytes })
    }
  })
})

test('a worker that ends hands its idle connections over: the next request on them is served', async () => {
  const client = await KeptClient.open(host.port)
  const first = JSON.parse((await client.ask(plain('/a'))).body) as { worker: string }
  await host.drain(first.worker)
  await host.tell(first.worker, { type: 'test:drain' })
  const before = await metric('connections_total')
  const next = JSON.parse((await client.ask(plain('/b'))).body) as { worker: string }
  expect(next.worker).not.toBe(first.worker)
  expect(await metric('connections_total')).toBe(before)
  client.socket.destroy()
})

describe('a connection that sends nothing more', () => {
  let impatient: HandOffHost
  beforeAll(async () => {
    impatient = await HandOffHost.start({ workers: 1, keepAliveMs: 300, limits: { headTimeoutMs: 300 } })
  })
  afterAll(() => impatient.stop())

  test('is closed after the idle time', async () => {
    const client = await KeptClient.open(impatient.port)
    expect((await client.ask(plain('/a'))).status).toBe(200)
    await until(() => client.isClosed, 'it is closed')
    await expect(client.next()).rejects.toThrow('closed without an answer')
  })

  test('in the middle of a head gets the answer of a slow first head', async () => {
    const client = await KeptClient.open(impatient.port)
    expect((await client.ask(plain('/a'), 'GET /b HTTP/1.1\r\nHo')).status).toBe(200)
    expect((await client.next()).status).toBe(408)
    await until(() => client.isClosed, 'it is closed')
  })
})
