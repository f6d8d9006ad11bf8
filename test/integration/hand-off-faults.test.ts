/** Bursts, large bodies, and workers that crash, start slowly, block or send invalid messages. */
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { HandOffHost, type HandOffSettings, metricSum } from '../harness/hand-off/host.ts'
import { exchange, openRaw, parseAnswer, readToEnd } from '../harness/network/raw-http.ts'
import { connectRaw, type RawSession } from '../harness/network/raw-socket-io.ts'
import { until } from '../harness/until.ts'

const MEBIBYTE = 1_048_576
const CHUNK = Buffer.alloc(MEBIBYTE, 'x')

let running: HandOffHost | undefined
afterEach(async () => {
  await running?.stop()
  running = undefined
})

async function start(settings: HandOffSettings): Promise<HandOffHost> {
  running = await HandOffHost.start(settings)
  return running
}

const unhurried = { admissionPerSecond: 0, patienceMs: 60_000, queueTimeoutMs: 60_000 }

function tally(sessions: RawSession[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { worker } of sessions) counts[worker] = (counts[worker] ?? 0) + 1
  return counts
}

test('a burst of 400 sessions is spread over 4 workers, within 5 percent', async () => {
  const host = await start({ workers: 4, limits: unhurried })
  const sessions = await Promise.all(Array.from({ length: 400 }, () => connectRaw(host.port, 60_000)))
  for (const count of Object.values(tally(sessions))) {
    expect(count).toBeGreaterThanOrEqual(95)
    expect(count).toBeLessThanOrEqual(105)
  }
  expect(Object.values(tally(sessions))).toHaveLength(4)
  await until(async () => same((await host.report()).counts, tally(sessions)), 'the counts are correct')
  for (const session of sessions) session.close()
  await until(async () => sum((await host.report()).counts) === 0, 'no session is counted any more')
})

test('plain requests are spread evenly too', async () => {
  const host = await start({ workers: 4, limits: unhurried })
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => exchange(host.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')),
  )
  const counts = tally(answers.map(({ body }) => JSON.parse(body)))
  expect(Object.keys(counts)).toHaveLength(4)
})

test('no connect is lost while a crashed worker takes 3 s to come back', async () => {
  const host = await start({ workers: 2, restart: true, restartDelayMs: 3_000 })
  await host.kill('w1')
  let connects = 0
  while (!host.ready.has('w3')) {
    const session = await connectRaw(host.port)
    connects += 1
    session.close()
  }
  expect(connects).toBeGreaterThan(10)
  await until(async () => {
    const session = await connectRaw(host.port)
    session.close()
    return session.worker === 'w3'
  }, 'the new worker is used')
})

test("a killed worker's connections that it had not accepted are served by another, bodies included", async () => {
  const host = await start({ workers: 2, limits: unhurried })
  await host.tell('w1', { type: 'test:freeze' })
  const sessions = Array.from({ length: 10 }, () => connectRaw(host.port, 60_000))
  const posts = Array.from({ length: 10 }, () =>
    exchange(host.port, 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n', 'hello', 'world'),
  )
  await until(async () => {
    const report = await host.report()
    return metricSum(report, 'rookery_front_connections_total') === 20
  }, 'all requests have arrived')
  await host.kill('w1')
  expect(tally(await Promise.all(sessions))).toEqual({ w2: 10 })
  for (const answer of await Promise.all(posts)) {
    expect(JSON.parse(answer.body)).toEqual({ worker: 'w2', url: '/a', bytes: 10 })
  }
  expect(metricSum(await host.report(), 'rookery_front_returned_total')).toBe(2)
  for (const session of await Promise.all(sessions)) session.close()
})

test('a blocked worker delays only the connections that were handed to it', async () => {
  const host = await start({ workers: 2, limits: { patienceMs: 50, queueTimeoutMs: 60_000 } })
  await host.tell('w1', { type: 'test:freeze' })
  const answered: RawSession[] = []
  const connects = Array.from({ length: 30 }, async () => {
    answered.push(await connectRaw(host.port, 60_000))
  })
  await until(() => answered.length === 28, 'all but two are answered while w1 is blocked')
  await host.kill('w1')
  await Promise.all(connects)
  expect(tally(answered)).toEqual({ w2: 30 })
  for (const session of answered) session.close()
})

test('workers killed again and again under load cost the primary only their own connections', async () => {
  const host = await start({ workers: 3, restart: true })
  const load = { isOver: false, answered: 0 }
  const lanes = Array.from({ length: 16 }, () => connectUntilOver(host.port, load))
  for (let kills = 1; kills <= 6; kills += 1) {
    await host.until(() => host.ready.size === 3)
    const [name = ''] = host.ready.keys()
    const before = load.answered
    await until(() => load.answered > before + 20, 'some connects succeed between two crashes')
    await host.kill(name)
    await host.until(() => host.ended.length === kills)
  }
  load.isOver = true
  for (const failure of (await Promise.all(lanes)).flat()) expect(failure).not.toContain('silence')
  await until(async () => (await host.report()).tcpHandles === 0, 'no handle is left')
  expect(metricSum(await host.report(), 'rookery_front_swallowed_bytes_total')).toBe(0)
})

test('a worker that was frozen for longer than the hand-over time-out serves its later connections', async () => {
  const host = await start({ workers: 1, limits: { ...unhurried, flightTimeoutMs: 3_000 } })
  const pid = host.ready.get('w1') ?? 0
  await host.tell('w1', { type: 'test:freeze' })
  const get = (path: string) => exchange(host.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  // The first is already sent to the frozen worker. The second waits in Node until the first is acknowledged. Both are given up.
  const early = Promise.allSettled([get('/1'), get('/2')])
  const metric = async (name: string) => metricSum(await host.report(), `rookery_front_${name}`)
  await until(async () => (await metric('lost_total')) === 2, 'the first two are given up')
  const late = [get('/3'), get('/4')]
  await until(
    async () => (await metric('connections_total')) === 4 && (await metric('pending_heads')) === 0,
    'the next two are on their way',
  )
  process.kill(pid, 'SIGCONT')
  const answers = (await Promise.all(late)).map(({ body }) => JSON.parse(body))
  expect(answers).toEqual([
    { worker: 'w1', url: '/3', bytes: 0 },
    { worker: 'w1', url: '/4', bytes: 0 },
  ])
  expect(await metric('handed_over_total')).toBe(2)
  expect(await metric('lost_total')).toBe(2)
  await early
})

test('invalid messages from a worker change nothing', async () => {
  const host = await start({ workers: 2 })
  await host.tell('w1', { type: 'test:garbage' })
  await host.tell('w1', { type: 'axm:action', data: { nothing: true } })
  const sessions = await Promise.all(Array.from({ length: 20 }, () => connectRaw(host.port)))
  expect(Object.keys(tally(sessions))).toHaveLength(2)
  await until(async () => same((await host.report()).counts, tally(sessions)), 'the counts are correct')
  for (const session of sessions) session.close()
})

test('a body follows its connection: in pieces, large, and larger than the memory left in the primary', async () => {
  const host = await start({ workers: 2 })
  const pieces = await exchange(
    host.port,
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n',
    ...Array.from('pieces'),
  )
  expect(JSON.parse(pieces.body)).toMatchObject({ bytes: 6 })
  expect(await upload(host.port, 24)).toBe(24 * MEBIBYTE)

  const before = await host.resetPeak()
  for (const name of host.ready.keys()) await host.tell(name, { type: 'test:block', ms: 2_000 })
  expect(await upload(host.port, 400)).toBe(400 * MEBIBYTE)
  const { peakRss } = await host.report()
  expect(peakRss - before).toBeLessThan(30 * MEBIBYTE)
})

/** @returns the bytes of the body as the worker counted them */
async function upload(port: number, mebibytes: number): Promise<number> {
  const socket = await openRaw(port)
  const answer = readToEnd(socket)
  socket.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${mebibytes * MEBIBYTE}\r\n\r\n`)
  for (let sent = 0; sent < mebibytes; sent += 1) {
    if (!socket.write(CHUNK)) await once(socket, 'drain')
  }
  return JSON.parse(parseAnswer(await answer).body).bytes
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function same(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => a[name] === b[name])
}

/** One connect after another; a failed connect may be lost with its worker, and is returned. */
async function connectUntilOver(
  port: number,
  load: { isOver: boolean; answered: number },
): Promise<string[]> {
  const failures: string[] = []
  while (!load.isOver) {
    const session = await connectRaw(port).catch(String)
    if (typeof session === 'string') failures.push(session)
    else {
      load.answered += 1
      session.close()
    }
  }
  return failures
}
