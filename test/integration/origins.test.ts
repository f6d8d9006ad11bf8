/** Which web pages may open a session: of the chat, and of an application where CORS_ORIGIN is given. */
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { exchange } from '../harness/network/raw-http.ts'

const ECHO = new URL('../fixtures/apps/echo.js', import.meta.url).pathname
const FOREIGN = 'https://elsewhere.example'
const REFUSAL =
  'a page of another origin may not connect. To allow it, name it in CORS_ORIGIN; if it is the page of this server, its proxy has to pass the Host header on'
const LISTED = 'https://listed.example'

type Headers = Record<string, string>

/** @returns the status of the handshake: 101 for a WebSocket that is open, 200 for a session of polling */
const transports = {
  async websocket({ port }: RunningRookery, headers: Headers): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, { headers })
    const failed = once(socket, 'unexpected-response').then(([, { statusCode }]) => Number(statusCode))
    const opened = once(socket, 'open').then(() => 101)
    socket.on('error', () => undefined)
    const status = await Promise.race([opened, failed])
    socket.terminate()
    return status
  },
  async polling(host: RunningRookery, headers: Headers): Promise<number> {
    return poll(host, headers)
  },
}

async function poll(host: RunningRookery, headers: Headers, query = ''): Promise<number> {
  const all = { Host: `127.0.0.1:${host.port}`, ...headers, Connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `GET /socket.io/?EIO=4&transport=polling${query} HTTP/1.1\r\n${lines.join('')}\r\n`
  return (await exchange(host.port, head)).status ?? 0
}

const hosts: RunningRookery[] = []
let chat: RunningRookery
let listed: RunningRookery
let app: RunningRookery

beforeAll(async () => {
  hosts.push(
    ...(await Promise.all([
      startRookery({ env: { WORKERS: '1' } }),
      startRookery({ env: { WORKERS: '1', CORS_ORIGIN: LISTED }, args: ['--app', ECHO] }),
      startRookery({ env: { WORKERS: '1' }, args: ['--app', ECHO] }),
    ])),
  )
  const [first, second, third] = hosts
  if (first === undefined || second === undefined || third === undefined) throw new Error('three hosts')
  chat = first
  listed = second
  app = third
})
afterAll(async () => {
  for (const host of hosts) await host.stop()
})

describe.each([
  ['websocket', 101, 400],
  ['polling', 200, 403],
] as const)('over %s', (transport, open, refused) => {
  const connect = transports[transport]

  it('the page of the chat and programs may connect, pages of others may not', async () => {
    expect(await connect(chat, {})).toBe(open)
    expect(await connect(chat, { origin: chat.url })).toBe(open)
    for (const origin of [FOREIGN, `http://127.0.0.1:${chat.port + 1}`, 'null', 'file://'])
      expect(await connect(chat, { origin }), origin).toBe(refused)
    await chat.untilLog(REFUSAL)
  })

  it('the page is known behind a proxy that ends TLS or changes Host', async () => {
    const origin = 'https://chat.example'
    expect(await connect(chat, { origin, 'x-forwarded-host': 'Chat.example:443' })).toBe(open)
    expect(await connect(chat, { origin, 'sec-fetch-site': 'same-origin' })).toBe(open)
    expect(await connect(chat, { origin: 'http://chat.example:8080', Host: 'chat.example' })).toBe(open)
    expect(await connect(chat, { origin: 'http://chat.example:8080', Host: 'chat.example:80' })).toBe(refused)
    expect(await connect(chat, { origin, 'sec-fetch-site': 'cross-site' })).toBe(refused)
    expect(await connect(chat, { origin, 'x-forwarded-host': 'other.example' })).toBe(refused)
  })

  it('CORS_ORIGIN names the pages of others; without it an application decides', async () => {
    expect(await connect(listed, { origin: LISTED })).toBe(open)
    expect(await connect(listed, { origin: FOREIGN })).toBe(refused)
    expect(await connect(app, { origin: FOREIGN })).toBe(open)
  })
})

it('no session is opened as JSONP, which pages of all origins could read', async () => {
  expect(await poll(chat, {}, '&j=0')).toBe(403)
  const metrics = await (await fetch(`${chat.adminUrl}/metrics`)).text()
  expect(Number(/^rookery_refused_origins_total(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0)
})
