/** A request body that stops arriving, at a real host. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { openRaw, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'

let host: RunningRookery
beforeAll(async () => {
  const env = { WORKERS: '1', BODY_TIMEOUT_MS: '300' }
  host = await startRookery({ args: ['--app', 'test/fixtures/apps/http.js'], env })
})
afterAll(async () => {
  expect(await host.stop()).toBe(0)
})

it.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])(
  'is answered with 408 after BODY_TIMEOUT_MS, and logged: %s',
  async (header) => {
    const socket = await openRaw(host.port)
    const text = readToEnd(socket)
    socket.write(`POST /worker HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n2\r\n`)
    const { status, body } = parseAnswer(await text)
    expect(status).toBe(408)
    expect(JSON.parse(body)).toMatchObject({ ok: false, error: { message: 'the body stopped arriving' } })
    await host.untilLog('a request was ended because its body stopped arriving')
  },
)
