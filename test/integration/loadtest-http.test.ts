/**
 * HTTP requests: the exact number of connections, every wrong answer counted, and stalls charged to the
 * requests scheduled meanwhile.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HttpResult } from '../../loadtest/http/http-result.ts'
import { run } from '../harness/command.ts'

const MAIN = fileURLToPath(new URL('../../dist/tools/loadtest/main.js', import.meta.url))
const HANDSHAKE =
  '0{"sid":"of-a-test","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'

type Answer = (nth: number, response: ServerResponse) => void | Promise<void>

let directory: string
let server: Server
/** The sockets of the load only. */
let sockets: Set<Socket>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rookery-loadtest-http-'))
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(directory, { recursive: true, force: true })
})

async function serve(answer: Answer, connection?: string): Promise<string> {
  let nth = 0
  sockets = new Set()
  server = createServer((request: IncomingMessage, response) => {
    if (connection !== undefined) response.setHeader('Connection', connection)
    // The single request before the load has a user agent.
    if (request.headers['user-agent'] !== undefined) {
      response.end(HANDSHAKE)
      return
    }
    sockets.add(request.socket)
    nth += 1
    void answer(nth, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

async function handshakes(url: string, ...more: string[]) {
  const args = ['run', 'http-handshakes', '--url', url, '--duration', '2', '--json', '--out', 'out', ...more]
  const { code, stdout, stderr } = await run(process.execPath, [MAIN, ...args], { cwd: directory })
  if (stdout === '') throw new Error(stderr)
  return { code, result: HttpResult.parse(JSON.parse(stdout)) }
}

const checkOf = ({ checks }: HttpResult, name: string) => checks.find((check) => check.name === name)?.ok

test('the number of connections is exact, and a correct server has no errors', async () => {
  const url = await serve((_nth, response) => void response.end(HANDSHAKE))
  const { result } = await handshakes(url, '--clients', '10', '--rate', '30')
  expect(sockets.size).toBe(10)
  expect(result.requests).toMatchObject({ connections: 10, non2xx: 0, mismatches: 0, errors: 0 })
  expect(result.latency.measured.count).toBe(result.requests.answered)
  expect(checkOf(result, 'every response is 2xx')).toBe(true)
  expect(checkOf(result, 'every body is as expected')).toBe(true)
})

test('an answer that is not 2xx fails the run', async () => {
  const url = await serve((nth, response) => {
    response.statusCode = nth === 7 ? 503 : 200
    response.end(HANDSHAKE)
  })
  const { code, result } = await handshakes(url, '--clients', '2', '--rate', '20')
  expect(result.requests).toMatchObject({ non2xx: 1, byStatus: { 503: 1 } })
  expect(checkOf(result, 'every response is 2xx')).toBe(false)
  expect(result.latency.measured.count).toBe(result.requests.answered - 1)
  expect(code).toBe(result.valid ? 1 : 3)
})

test('a correct status with a wrong body fails the run', async () => {
  const url = await serve((nth, response) => void response.end(nth === 7 ? '<html>' : HANDSHAKE))
  const { code, result } = await handshakes(url, '--clients', '2', '--rate', '20')
  expect(result.requests).toMatchObject({ non2xx: 0, mismatches: 1 })
  expect(checkOf(result, 'every body is as expected')).toBe(false)
  expect(code).toBe(result.valid ? 1 : 3)
})

test('a server that ends each connection is not measured wrongly: the run says so and counts as invalid', async () => {
  const url = await serve((_nth, response) => void response.end(HANDSHAKE), 'close')
  const { code, result } = await handshakes(url, '--clients', '4', '--rate', '20')
  expect(result.valid).toBe(false)
  expect(result.invalid.join()).toContain('Connection: close')
  expect(code).toBe(3)
})

test('a stall counts for the requests scheduled meanwhile, once for each interval', async () => {
  const STALL_MS = 950
  const url = await serve(async (nth, response) => {
    if (nth === 5) await delay(STALL_MS)
    response.end(HANDSHAKE)
  })
  // One connection at 20 per second: an interval is 50 ms, and 18 or more pass before the stalled answer
  // arrives.
  const { result } = await handshakes(url, '--clients', '1', '--rate', '20')
  const { measured, corrected } = result.latency
  expect(measured.maxMs).toBeGreaterThanOrEqual(STALL_MS - 1)
  expect(corrected.count - measured.count).toBeGreaterThanOrEqual(STALL_MS / 50 - 1)
  expect(corrected.p90Ms).toBeGreaterThan(measured.p50Ms)
  expect(corrected.meanMs).toBeGreaterThan(measured.meanMs)
})

test('a server with a different answer is not measured at all', async () => {
  server = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  await expect(handshakes(`http://127.0.0.1:${port}`)).rejects.toThrow(/unexpected response: hello/)
})
