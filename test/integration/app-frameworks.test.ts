/** HTTP applications of other frameworks, mounted beside Socket.IO, through the port. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'

const APP = new URL('../fixtures/apps/frameworks.js', import.meta.url).pathname

function formWith(file: Buffer<ArrayBuffer>): RequestInit {
  const body = new FormData()
  body.set('note', 'ü')
  body.set('file', new Blob([file]), 'a file.bin')
  return { method: 'POST', body }
}

describe.each(['express', 'fastify', 'koa', 'hono', 'plain', 'fetch'])('%s', (framework) => {
  let rookery: RunningRookery
  beforeAll(async () => {
    rookery = await startRookery({ args: ['--app', APP], env: { WORKERS: '1', FRAMEWORK: framework } })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
  })
  const get = (path: string, init?: RequestInit) => fetch(rookery.url + path, init)

  it('serves routes, bodies and streams', async () => {
    expect(await (await get('/hello')).json()).toEqual({ framework })
    const value = { text: 'a'.repeat(50_000) }
    const headers = { 'Content-Type': 'application/json' }
    const posted = await get('/body', { method: 'POST', headers, body: JSON.stringify(value) })
    expect(await posted.json()).toEqual(value)
    expect(await (await get('/stream')).text()).toBe('abc')
  })

  it('answers what it does not have, and what fails, and lives on', async () => {
    expect((await get('/nothing')).status).toBe(404)
    expect((await get('/fails')).status).toBe(500)
    expect((await get('/hello')).status).toBe(200)
    expect(rookery.countLogs('worker died')).toBe(0)
  })

  it('leaves routes of context.http and Socket.IO as they are', async () => {
    expect(await (await get('/own')).text()).toBe('a route of context.http')
    expect((await get('/readyz')).status).toBe(200)
    for (const transport of ['polling', 'websocket']) {
      const socket = io(rookery.url, { transports: [transport], forceNew: true })
      expect(await socket.emitWithAck('echo', transport)).toBe(transport)
      socket.close()
    }
  })

  if (framework === 'express') {
    it('shares its session with Socket.IO, and serves static files', async () => {
      const cookie = (await get('/hello')).headers.get('set-cookie')?.split(';')[0] ?? ''
      const socket = io(rookery.url, { extraHeaders: { Cookie: cookie }, forceNew: true })
      const id: unknown = await socket.emitWithAck('session')
      socket.close()
      expect(decodeURIComponent(cookie)).toContain(String(id))
      expect(await (await get('/static/echo.js')).text()).toContain('export default')
    })

    it('takes uploads whole, and refuses those that are too large', async () => {
      const file = randomBytes(2_000_000)
      const sha256 = createHash('sha256').update(file).digest('hex')
      const answer = await (await get('/upload', formWith(file))).json()
      expect(answer).toEqual({ name: 'a file.bin', bytes: file.length, sha256, note: 'ü' })
      expect((await get('/upload', formWith(randomBytes(3_500_000)))).status).toBe(500)
      expect(rookery.countLogs('worker died')).toBe(0)
    })
  }
})

it('one handler per worker is mounted, and nothing else', async () => {
  const rookery = await startRookery({
    args: ['--app', join(APP, '../mounts-twice.js')],
    env: { WORKERS: '1' },
  })
  try {
    expect(await (await fetch(rookery.url)).json()).toEqual([
      'context.mount() takes (request, response) => …, (request: Request) => Response, or an application of Express, Fastify, Koa or Hono',
      'context.mount() has been called: one handler per worker',
    ])
  } finally {
    await rookery.kill()
  }
})

it("WebSockets of the application's own path work, and end in order", async () => {
  const rookery = await startRookery({
    args: ['--app', join(APP, '../raw-upgrade.js')],
    env: { WORKERS: '1' },
  })
  const socket = new WebSocket(`ws://127.0.0.1:${rookery.port}/raw`)
  await once(socket, 'open')
  socket.send('hello')
  const [answer] = await once(socket, 'message')
  expect(String(answer)).toBe('hello')
  const closed = once(socket, 'close')
  expect(await rookery.stop()).toBe(0)
  const [code, reason] = await closed
  expect([code, String(reason)]).toEqual([1001, 'the server moves'])
})
