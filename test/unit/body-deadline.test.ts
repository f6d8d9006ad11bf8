import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { limitBodySilence } from '../../src/worker/http/body-deadline.ts'

const open: { close(): void }[] = []
const SILENCE_MS = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
  for (const one of open.splice(0)) one.close()
})

/** An HTTP server that never listens: connections are given to it, as in a worker. */
async function serve(handle: (request: IncomingMessage) => void = (request) => request.resume()) {
  const registry = new Registry()
  const lines: string[] = []
  const http = createServer((request, response) => {
    handle(request)
    request.once('end', () => response.end('whole'))
  })
  const logger = pino({ base: null }, { write: (line: string) => lines.push(line) })
  limitBodySilence(http, { silenceMs: SILENCE_MS, logger, registry })
  const door = createTcpServer((socket) => http.emit('connection', socket)).listen(0, '127.0.0.1')
  await once(door, 'listening')
  open.push(door)
  const client = connect((door.address() as AddressInfo).port, '127.0.0.1')
  open.push({ close: () => client.destroy() })
  const begin = async (length: number): Promise<IncomingMessage> => {
    const requested = once(http, 'request')
    client.write(`POST /up?key=secret HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)
    const [request] = (await requested) as [IncomingMessage]
    return request
  }
  const count = () => registry.getSingleMetricAsString('rookery_slow_bodies_total')
  return { client, begin, count, lines }
}

const nextText = async (client: ReturnType<typeof connect>) => String((await once(client, 'data'))[0])

test('a body that stops arriving gets 408, is counted and logged', async () => {
  const { client, begin, count, lines } = await serve()
  const request = await begin(5)
  const arrived = once(request, 'data')
  client.write('ab')
  await arrived
  const answer = nextText(client)
  vi.advanceTimersByTime(2 * SILENCE_MS)
  expect(await answer).toMatch(/^HTTP\/1\.1 408 [^]*Connection: close\r\n[^]*"ok":false/)
  expect(await count()).toMatch(/ 1$/)
  expect(lines.join('')).toContain('"path":"/up"')
})

test('a body in pieces is accepted, however long it takes', async () => {
  const { client, begin, count } = await serve()
  const request = await begin(20)
  const answer = nextText(client)
  for (let piece = 0; piece < 20; piece += 1) {
    const arrived = once(request, 'data')
    client.write('a')
    await arrived
    vi.advanceTimersByTime(SILENCE_MS)
  }
  expect(await answer).toContain('200 OK')
  expect(await count()).toMatch(/ 0$/)
})

test('a handler that does not read is not the silence of the client', async () => {
  const { client, begin, count } = await serve((request) => request.pause())
  const request = await begin(1_000_000)
  client.write('a'.repeat(1_000_000))
  await vi.waitFor(() => expect(request.readableLength).toBeGreaterThanOrEqual(request.readableHighWaterMark))
  vi.advanceTimersByTime(5 * SILENCE_MS)
  const answer = nextText(client)
  request.resume()
  expect(await answer).toContain('200 OK')
  expect(await count()).toMatch(/ 0$/)
})
