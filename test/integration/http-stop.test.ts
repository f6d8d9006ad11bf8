/** HTTP answers that are open when a worker has to stop. */
import { afterEach, expect, it } from 'vitest'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { openRaw, readToEnd } from '../harness/network/raw-http.ts'
import { until } from '../harness/until.ts'

const APP = 'test/fixtures/apps/http.js'

let host: RunningRookery | undefined
afterEach(async () => {
  await host?.stop()
})

/** An open answer of each kind. @returns what each client has got once its connection is closed */
async function openAnswers({ port }: RunningRookery): Promise<Promise<string>[]> {
  const requests = [
    'GET /events HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /never HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /worker HTTP/1.1\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /worker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /worker HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhal',
  ]
  const sockets = await Promise.all(requests.map(() => openRaw(port)))
  const endings = sockets.map(readToEnd)
  for (const [index, request] of requests.entries()) sockets[index]?.write(request)
  const [events] = sockets
  await until(() => (events?.bytesRead ?? 0) > 0, 'the stream of events has begun')
  return endings
}

it('are ended after the drain time: the host stops in order, and clients get an end or a 503', async () => {
  const env = { WORKERS: '1', DRAIN_MS: '200' }
  host = await startRookery({ args: ['--app', APP], env })
  const endings = await openAnswers(host)
  expect(await host.stop()).toBe(0)
  const [events, never] = await Promise.all(endings)
  expect(events).toMatch(/data: first\n\n\r\n0\r\n\r\n$/)
  expect(never).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 2\r\n[^]*"code":"unavailable"/)
})

it('do not hold up a reload', async () => {
  const env = { WORKERS: '1', DRAIN_MS: '200' }
  host = await startRookery({ args: ['--app', APP], env })
  const [, never] = await openAnswers(host)
  host.signal('SIGHUP')
  await host.untilLog('worker left')
  expect(await never).toMatch(/^HTTP\/1\.1 503 /)
  expect(host.countLogs('worker has not exited by its deadline: killed')).toBe(0)
  expect(await host.stop()).toBe(0)
})
