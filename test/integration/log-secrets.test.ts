/** At its most verbose log level, the product logs none of the secrets that pass through it, and workers show none. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SignJWT } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { exchange } from '../harness/network/raw-http.ts'

const newSecret = () => randomBytes(24).toString('hex')

let rookery: RunningRookery | undefined
const clients: ChatClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await rookery?.stop()
})

function sign(secret: string, expires: string): Promise<string> {
  return new SignJWT({ sub: 'ada', name: 'Ada' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(Buffer.from(secret))
}

function connect(url: string, auth: object): ChatClient {
  const client = new ChatClient(url, { auth, reconnection: false })
  clients.push(client)
  return client
}

/** What other programs of this user can see of a process. */
async function visibleOf(pid: number): Promise<string> {
  const files = ['environ', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8'))
  return (await Promise.all(files)).join('\n')
}

function publish(url: string, key: string): Promise<Response> {
  const body = JSON.stringify({ id: newSecret(), from: { id: 'bot', name: 'Bot' }, text: 'hello' })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}`, cookie: `key=${key}` }
  return fetch(`${url}/api/rooms/lobby/messages`, { method: 'POST', headers, body })
}

/**
 * The API with a valid key and a wrong one, a malformed request, a worker's death, a reload, and the stop.
 */
async function liveThrough(
  host: RunningRookery,
  apiKey: string,
  ofHost: readonly string[],
): Promise<string[]> {
  const wrongKey = newSecret()
  const visible = await visibleOf(host.workerPids()[0] ?? 0)
  expect(visible).toContain('ROOKERY_WORKER=')
  for (const secret of ofHost) expect(visible).not.toContain(secret)
  expect((await publish(host.url, apiKey)).status).toBeLessThan(300)
  expect((await publish(host.url, wrongKey)).status).toBe(401)
  const malformed = await exchange(host.port, `GE T / HTTP/1.1\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`)
  expect(malformed.status).toBe(400)
  host.killWorker(0)
  await host.untilLog('worker ready', 3)
  host.signal('SIGHUP')
  await host.untilLog('reload done')
  expect(await host.stop()).toBe(0)
  return [wrongKey]
}

function expectSilenceOn(host: RunningRookery, secrets: readonly string[]): void {
  const text = [...host.logs.map((line) => JSON.stringify(line)), ...host.otherOutput].join('\n')
  for (const msg of ['ready', 'worker died', 'reload done', 'stopped'])
    expect(host.log(msg), msg).toBeDefined()
  expect(new Set(secrets).size).toBe(secrets.length)
  for (const secret of secrets) expect(text).not.toContain(secret)
}

test('with tokens: neither the signing secret, nor accepted tokens, nor refused ones', async () => {
  const [jwtSecret, apiKey, foreignSecret] = [newSecret(), newSecret(), newSecret()]
  const env = { AUTH: 'jwt', JWT_SECRET: jwtSecret, API_KEY: apiKey, LOG_LEVEL: 'trace' }
  const host = await startRookery({ env })
  rookery = host
  const good = await sign(jwtSecret, '1h')
  const refused = [await sign(foreignSecret, '1h'), await sign(jwtSecret, '1h ago'), newSecret()]
  await connect(host.url, { token: good }).next('welcome')
  for (const token of refused) {
    expect(await connect(host.url, { token }).refusal()).toMatchObject({ code: 'unauthenticated' })
  }
  const misplaced = newSecret()
  expect(await connect(host.url, { token: { deep: [misplaced] } }).refusal()).toMatchObject({
    retryable: false,
  })
  const more = await liveThrough(host, apiKey, [jwtSecret, apiKey])
  // The secret part of a token is its signature.
  const signatures = [good, ...refused].map((token) => token.slice(token.lastIndexOf('.') + 1))
  expectSilenceOn(host, [jwtSecret, apiKey, foreignSecret, misplaced, ...signatures, ...more])
})

test('with guests: neither accepted nor refused keys', async () => {
  const [apiKey, key, nameless] = [newSecret(), newSecret(), newSecret()]
  const host = await startRookery({ env: { API_KEY: apiKey, LOG_LEVEL: 'trace' } })
  rookery = host
  await connect(host.url, { name: 'Ada', key }).next('welcome')
  expect(await connect(host.url, { name: '', key: nameless }).refusal()).toMatchObject({
    code: 'bad_request',
  })
  const more = await liveThrough(host, apiKey, [apiKey])
  expectSilenceOn(host, [apiKey, key, nameless, ...more])
})
