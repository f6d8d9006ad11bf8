/** Pages of other origins: what a browser shows them of the host's answers, the front door's own included. */
import type { Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { servePage } from '../harness/client/browser-server.ts'
import { startRookery } from '../harness/cluster/cluster.ts'
import { HandOffHost, metricSum } from '../harness/hand-off/host.ts'
import { exchange } from '../harness/network/raw-http.ts'
import { Chromium, type OpenPage } from '../harness/page/page.ts'

const POLLING = '/socket.io/?EIO=4&transport=polling'

let page: { url: string; server: Server }
let origin: string
let browser: Chromium
let opened: OpenPage
let host: HandOffHost

beforeAll(async () => {
  page = await servePage('<!doctype html><script></script>')
  origin = new URL(page.url).origin
  host = await HandOffHost.start({ workers: 0, cors: { origin: [origin], credentials: true } })
  browser = await Chromium.start()
  opened = await browser.openPage({ url: page.url })
  // Requests to another origin, and refusals, are what this is about.
  opened.expectProblems(/^request to somebody else|^answer: |Failed to load resource/)
})
afterAll(async () => {
  await browser.closePages()
  await browser.stop()
  await host.stop()
  await new Promise((resolve) => page.server.close(resolve))
})

/** What a page learns of a request with cookies, and with a header that needs a preflight. */
function ask(path: string, headers: Record<string, string> = {}, url = host.url): Promise<unknown> {
  const options = JSON.stringify({ credentials: 'include', headers })
  return opened.page.evaluate(
    `fetch('${url}${path}', ${options}).then(({ status }) => status, (error) => String(error))`,
  )
}

const preflight = () =>
  exchange(
    host.port,
    `OPTIONS ${POLLING} HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nConnection: close\r\n` +
      'Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-tenant\r\n\r\n',
  )

describe('while no worker is ready', () => {
  it('a page reads the 503, also of requests that need a preflight', async () => {
    expect(await ask('/readyz')).toBe(503)
    expect(await ask(POLLING)).toBe(503)
    expect(await ask(POLLING, { 'x-tenant': 'a' })).toBe(503)
    expect(await ask('/healthz')).toBe(200)
  })

  it('a page reads the refusal of a malformed head', async () => {
    const answer = await exchange(host.port, `GET / HTTP/1.1\r\nOrigin: ${origin}\r\nno header\r\n\r\n`)
    expect(answer.status).toBe(400)
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
  })

  it('a page whose origin is not listed reads nothing', async () => {
    const answer = await exchange(host.port, `GET ${POLLING} HTTP/1.1\r\nOrigin: http://a\r\n\r\n`)
    expect(answer.status).toBe(503)
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('with a worker', () => {
  it('the front door and the worker answer a preflight with the same permissions', async () => {
    const byFrontDoor = await preflight()
    await host.fork()
    await host.until(() => host.ready.size === 1)
    const byWorker = await preflight()
    for (const { status, headers } of [byFrontDoor, byWorker]) {
      expect(status).toBe(204)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-allow-credentials')).toBe('true')
      expect(headers.get('access-control-allow-headers')).toBe('x-tenant')
      expect(headers.get('vary')).toContain('Origin')
    }
    const methods = (answer: typeof byWorker) => answer.headers.get('access-control-allow-methods')
    expect(methods(byFrontDoor)).toBe(methods(byWorker))
  })

  it('only what can open a session counts as a new session', async () => {
    const handshakes = async () =>
      metricSum(await host.report(), 'rookery_front_handed_over_total', { kind: 'handshake' })
    const before = await handshakes()
    expect((await preflight()).status).toBe(204)
    await exchange(host.port, 'GET /nothing?EIO=4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await handshakes()).toBe(before)
    expect(await ask(POLLING, { 'x-tenant': 'a' })).toBe(200)
    expect(await handshakes()).toBe(before + 1)
  })
})

it('CORS_CREDENTIALS lets pages of listed origins send cookies', async () => {
  const rookery = await startRookery({
    env: { WORKERS: '1', CORS_ORIGIN: `http://a,${origin}`, CORS_CREDENTIALS: 'true' },
  })
  try {
    expect(await ask(POLLING, {}, rookery.url)).toBe(200)
    expect(await ask(`${POLLING}&sid=unknown`, { 'x-tenant': 'a' }, rookery.url)).toBe(400)
  } finally {
    expect(await rookery.stop()).toBe(0)
  }
})
