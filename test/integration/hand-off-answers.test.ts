/**
 * Answers of the front door itself: to invalid heads, to slow and silent clients, and while no worker is
 * ready.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { HandOffHost, metricSum } from '../harness/hand-off/host.ts'
import { exchange, openRaw, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'
import { connectRaw } from '../harness/network/raw-socket-io.ts'
import { until } from '../harness/until.ts'

describe('a host with a worker', () => {
  let host: HandOffHost
  beforeAll(async () => {
    host = await HandOffHost.start({
      workers: 1,
      limits: { headBytes: 1_024, headTimeoutMs: 500 },
    })
  })
  afterAll(() => host.stop())

  const refused = (reason: string) =>
    host.report().then((report) => metricSum(report, 'rookery_front_refused_heads_total', { reason }))

  test.each([
    ['a TLS client hello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400],
    ['the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 400],
    ['a bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['a long request line', `GET /${'a'.repeat(2_000)}`, 414],
    ['a long head', `GET / HTTP/1.1\r\nA: ${'b'.repeat(2_000)}`, 431],
  ])('refuses %s', async (_, text, status) => {
    const answer = await exchange(host.port, Buffer.from(text, 'latin1'))
    expect(answer.status).toBe(status)
    expect(answer.headers.get('connection')).toBe('close')
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { retryable: false } })
  })

  test('answers a slow head with 408, even if further bytes keep arriving', async () => {
    const socket = await openRaw(host.port)
    const dripping = setInterval(() => socket.write('a'), 20)
    socket.write('GET / HTTP/1.1\r\nA: ')
    const answer = parseAnswer(await readToEnd(socket))
    clearInterval(dripping)
    expect(answer.status).toBe(408)
  })

  test('closes a silent client without an answer', async () => {
    const before = await refused('too slow')
    const socket = await openRaw(host.port)
    expect(await readToEnd(socket)).toBe('')
    expect(await refused('too slow')).toBe(before + 1)
  })

  test('survives connections that are reset at any moment', async () => {
    for (const bytes of ['', 'GET', 'GET / HTTP/1.1\r\n\r\n', '\0']) {
      const sockets = await Promise.all(Array.from({ length: 15 }, () => openRaw(host.port)))
      for (const socket of sockets) {
        if (bytes !== '') socket.write(bytes)
        socket.resetAndDestroy()
      }
    }
    expect((await exchange(host.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(200)
  })

  test('is alive by itself, and ready once a worker is', async () => {
    const health = await exchange(host.port, 'GET /healthz HTTP/1.1\r\n\r\n')
    expect([health.status, JSON.parse(health.body)]).toEqual([200, { status: 'ok' }])
    const ready = await exchange(host.port, 'GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(ready.status).toBe(200)
    expect(ready.body).toContain('"worker":"w1"')
  })
})

describe('a host without a ready worker', () => {
  let host: HandOffHost
  beforeAll(async () => {
    host = await HandOffHost.start({ workers: 0 })
  })
  afterAll(() => host.stop())

  test.each([
    'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /socket.io/?EIO=4&sid=abcdef1-AAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /anything HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n',
  ])('says when to retry: %j', async (request) => {
    const answer = await exchange(host.port, request)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(JSON.parse(answer.body)).toMatchObject({
      ok: false,
      error: { code: 'unavailable', retryable: true, retryAfterMs: 2000, message: 'no worker is ready' },
    })
  })

  test('says it to HEAD without a body', async () => {
    const socket = await openRaw(host.port)
    socket.write('HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n')
    const text = await readToEnd(socket)
    expect(text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nContent-Length: [1-9][0-9]*\r\n[^]*\r\n\r\n$/)
  })

  test('still reports that it is alive', async () => {
    expect((await exchange(host.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(200)
    expect((await exchange(host.port, 'POST /healthz HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(503)
  })
})

describe('a worker that accepts no connections', () => {
  let host: HandOffHost | undefined
  afterEach(() => host?.stop())

  test('costs waiting connections a bounded time, and excess ones none', async () => {
    host = await HandOffHost.start({ workers: 1, limits: { queueTimeoutMs: 1_000, queueLength: 3 } })
    const { port } = host
    await host.tell('w1', { type: 'test:freeze' })
    const answers = Array.from({ length: 12 }, () =>
      exchange(port, 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n').catch(String),
    )
    const started = host
    await until(async () => {
      const report = await started.report()
      return (
        metricSum(report, 'rookery_front_unavailable_total', { reason: 'queue_timeout' }) === 3 &&
        metricSum(report, 'rookery_front_unavailable_total', { reason: 'queue_full' }) === 7
      )
    }, 'three timed out in the queue and seven were refused at once')
    await host.kill('w1')
    await host.stop()
    const statuses = (await Promise.all(answers)).map((answer) =>
      typeof answer === 'string' ? 'closed' : answer.status,
    )
    expect(statuses.filter((status) => status === 503)).toHaveLength(10)
    expect(statuses.filter((status) => status === 'closed')).toHaveLength(2)
  })

  test('gets no new connections, and its connections are closed, after the hand-over time-out', async () => {
    host = await HandOffHost.start({ workers: 1, limits: { flightTimeoutMs: 500, queueTimeoutMs: 60_000 } })
    const started = host
    await host.tell('w1', { type: 'test:freeze' })
    const waiting = exchange(host.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n').catch(String)
    await until(
      async () => metricSum(await started.report(), 'rookery_front_lost_total') === 1,
      'the connection was given up',
    )
    await host.kill('w1')
    expect(await waiting).toContain('no answer')
  })
})

test('new sessions above the admission rate wait for their turn, and all other requests do not', async () => {
  const host = await HandOffHost.start({
    workers: 1,
    limits: { admissionPerSecond: 1, queueTimeoutMs: 60_000 },
  })
  try {
    const sessions = Array.from({ length: 3 }, () => connectRaw(host.port, 60_000))
    await until(async () => metricSum(await host.report(), 'rookery_front_waiting') > 0, 'one session waits')
    const plain = await exchange(host.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(plain.status).toBe(200)
    for (const session of await Promise.all(sessions)) session.close()
  } finally {
    await host.stop()
  }
})

test('with too many unfinished heads the quick ones are served and the oldest are closed', async () => {
  const host = await HandOffHost.start({ workers: 1, limits: { headTimeoutMs: 60_000, pendingHeads: 20 } })
  try {
    const silent = await Promise.all(Array.from({ length: 40 }, () => openRaw(host.port)))
    const endings = silent.map(readToEnd)
    const session = await connectRaw(host.port)
    session.close()
    const report = await host.report()
    expect(metricSum(report, 'rookery_front_refused_heads_total', { reason: 'crowded' })).toBe(21)
    expect(metricSum(report, 'rookery_front_pending_heads')).toBe(19)
    for (const socket of silent) socket.end()
    expect(await Promise.all(endings)).toEqual(silent.map(() => ''))
  } finally {
    await host.stop()
  }
})
