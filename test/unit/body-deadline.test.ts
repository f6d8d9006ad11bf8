import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { limitBodyTime } from '../../src/worker/http/body-deadline.ts'

const open: { close(): void }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** An HTTP server that never listens: connections are given to it, as in a worker. */
async function serve(timeoutMs: number) {
  const registry = new Registry()
  const http = createServer((request, response) => {
    request.resume()
    request.once('end', () => response.end('whole'))
  })
  limitBodyTime(http, { timeoutMs, registry })
  const door = createTcpServer((socket) => http.emit('connection', socket)).listen(0, '127.0.0.1')
  await once(door, 'listening')
  open.push(door)
  const client = connect((door.address() as AddressInfo).port, '127.0.0.1')
  open.push({ close: () => client.destroy() })
  return { client, registry }
}

test('a body that does not arrive is cut off and counted', async () => {
  const { client, registry } = await serve(50)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
  await once(client, 'close')
  expect(await registry.getSingleMetricAsString('rookery_slow_bodies_total')).toMatch(/ 1$/)
})

test('a body in pieces is accepted, however long it takes', async () => {
  const { client, registry } = await serve(60_000)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
  client.write('cde')
  const [answer] = (await once(client, 'data')) as [Buffer]
  expect(answer.toString()).toContain('200 OK')
  expect(await registry.getSingleMetricAsString('rookery_slow_bodies_total')).toMatch(/ 0$/)
})
