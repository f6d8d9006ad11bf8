/** Messages and connections of one user who is on several workers and hosts. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { startRedis, type TestRedis } from '../harness/redis/redis.ts'
import { until } from '../harness/until.ts'

const API_KEY = 'key of a test'
/** So slow that no test gets more than the burst. */
const SLOW_RATE = { MESSAGE_RATE: '1', MESSAGE_BURST: '1000' }
const OTHER_RATES = { REQUEST_RATE: '100000', REQUEST_BURST: '100000' }

async function startHost(env: Record<string, string>): Promise<RunningRookery> {
  const host = await startRookery({ env: { ...OTHER_RATES, API_KEY, ...env } })
  onTestFinished(() => host.kill())
  return host
}

interface Hosts {
  redis: TestRedis
  one: RunningRookery
  two: RunningRookery
}

async function startHosts(env: Record<string, string>): Promise<Hosts> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const start = (name: string) =>
    startHost({ REDIS_URL: redis.url, HOST_NAME: name, REDIS_TIMEOUT_MS: '30000', ...env })
  const [one, two] = await Promise.all([start('one'), start('two')])
  for (const host of [one, two]) {
    const others = async () => ((await status(host)).hosts as unknown[]).length
    await until(async () => (await others()) === 1, 'the hosts know each other')
  }
  return { redis, one, two }
}

async function status(host: RunningRookery): Promise<Record<string, unknown>> {
  const answer = await fetch(`${host.adminUrl}/status`)
  return (await answer.json()) as Record<string, unknown>
}

async function metric(host: RunningRookery, line: string): Promise<number> {
  const text = await (await fetch(`${host.adminUrl}/metrics`)).text()
  const found = text.split('\n').find((one) => one.startsWith(line))
  return Number(found?.split(' ').at(-1) ?? 0)
}

const newName = () => `Ada ${randomUUID()}`

/** Does not reconnect by itself. */
async function connect(host: RunningRookery, name: string): Promise<ChatClient> {
  const client = await ChatClient.guest(host.url, name, { reconnection: false })
  onTestFinished(() => client.close())
  return client
}

/** Connects once more. @returns the error code, or undefined if it was admitted (then it disconnects) */
async function tryConnect(host: RunningRookery, name: string) {
  const auth = { name, key: `the secret key of ${name}` }
  const client = new ChatClient(host.url, { auth, reconnection: false })
  try {
    return await Promise.race([client.refusal(), client.next('welcome').then(() => undefined)])
  } catch (error) {
    if (error instanceof Error && error.message === 'it was let in') return undefined
    throw error
  } finally {
    client.close()
  }
}

const untilLetIn = (host: RunningRookery, name: string) =>
  until(async () => (await tryConnect(host, name)) === undefined, 'one more connection is admitted')

/** On a busy machine more would be refused because they wait too long, not because they are too many. */
const AT_ONCE = 100

/** Sends this many messages, spread over all clients. @returns the errors */
async function sendMany(clients: ChatClient[], count: number): Promise<unknown[]> {
  const room = `room.${randomUUID()}`
  for (const client of clients) await client.join(room)
  const send = (nth: number) =>
    (clients[nth % clients.length] as ChatClient).raw('message:send', { room, id: `m-${nth}`, text: 'x' })
  const errors: unknown[] = []
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const lot = Array.from({ length: Math.min(AT_ONCE, count - sent) }, (_, nth) => send(sent + nth))
    for (const { ok, error } of await Promise.all(lot)) if (ok !== true) errors.push(error)
  }
  return errors
}

const TOO_MUCH = {
  code: 'rate_limited',
  message: expect.any(String),
  retryable: true,
  retryAfterMs: expect.any(Number),
}

describe('one host', () => {
  it('counts the messages of a user once, on any number of workers; a server that publishes for the user is not limited', async () => {
    const host = await startHost({ WORKERS: '3', ...SLOW_RATE })
    const name = newName()
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(host, name)))
    expect(new Set(clients.map(({ welcome }) => welcome.worker)).size).toBe(3)
    expect(await sendMany(clients, 1_010)).toEqual(Array.from({ length: 10 }, () => TOO_MUCH))
    expect(await metric(host, 'rookery_limits_refused_total{what="message"')).toBe(10)
    // Other users are not affected.
    expect(await sendMany([await connect(host, newName())], 1)).toEqual([])
    const published = await fetch(`${host.url}/api/rooms/lobby/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'm', text: 'x', from: clients[0]?.user }),
    })
    expect(published.status).toBe(200)
  })

  it('refuses one connection too many, closes no existing one, and does not count those of a dead worker', async () => {
    const host = await startHost({ WORKERS: '2', CONNECTIONS_PER_USER: '4' })
    const name = newName()
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(host, name)))
    const refusal = await tryConnect(host, name)
    expect(refusal).toEqual({ code: 'rate_limited', message: expect.any(String), retryable: true })
    expect(await tryConnect(host, newName())).toBeUndefined()
    expect(clients.map(({ disconnects }) => disconnects)).toEqual([[], [], [], []])

    clients[0]?.close()
    await untilLetIn(host, name)

    host.killWorker(0)
    await until(
      () => clients.filter(({ socket }) => !socket.connected).length > 1,
      'the worker’s clients are disconnected',
    )
    const standing = clients.filter(({ socket }) => socket.connected).length
    const more = await Promise.all(Array.from({ length: 4 - standing }, () => untilConnected(host, name)))
    expect(await tryConnect(host, name)).toMatchObject({ code: 'rate_limited' })
    for (const client of more) expect(client.socket.connected).toBe(true)
  })

  it('has no limit of connections when configured so', async () => {
    const host = await startHost({ WORKERS: '2', CONNECTIONS_PER_USER: '0' })
    const name = newName()
    const clients = await Promise.all(Array.from({ length: 60 }, () => connect(host, name)))
    expect(clients.every(({ socket }) => socket.connected)).toBe(true)
  })
})

/** A refused client retries. */
async function untilConnected(host: RunningRookery, name: string): Promise<ChatClient> {
  const auth = { name, key: `the secret key of ${name}` }
  const client = new ChatClient(host.url, { auth, reconnection: false })
  onTestFinished(() => client.close())
  await until(() => {
    if (!client.socket.connected && !client.socket.active) client.socket.connect()
    return client.socket.connected
  }, 'the client is admitted')
  return client
}

describe('two hosts', () => {
  it('count the messages of a user once', async () => {
    const { one, two } = await startHosts(SLOW_RATE)
    const name = newName()
    const clients = await Promise.all([one, two, one, two].map((host) => connect(host, name)))
    expect(await sendMany(clients, 1_010)).toEqual(Array.from({ length: 10 }, () => TOO_MUCH))
    expect(await sendMany([await connect(two, newName())], 1)).toEqual([])
  })

  it('count the pages of a user once', async () => {
    const rates = { REQUEST_RATE: '1', REQUEST_BURST: '1000' }
    const { one, two } = await startHosts(rates)
    const name = newName()
    const clients = await Promise.all(
      [one, two, one, two, one, two, one, two].map((host) => connect(host, name)),
    )
    const asked = Array.from({ length: 1_010 }, (_, nth) =>
      (clients[nth % clients.length] as ChatClient).raw('room:history', { room: 'lobby' }),
    )
    const refused = (await Promise.all(asked)).filter(({ ok }) => ok !== true).map(({ error }) => error)
    expect(refused).toEqual(Array.from({ length: 10 }, () => TOO_MUCH))
    // Earlier requests keep their order.
    const [client] = clients
    expect(await client?.raw('room:join', { room: 'lobby' })).toMatchObject({ ok: false, error: TOO_MUCH })
  })

  it('count the connections of a user together, and none of a dead worker or host', async () => {
    const { one, two } = await startHosts({ CONNECTIONS_PER_USER: '4' })
    const name = newName()
    const there = await Promise.all([two, two, two].map((host) => connect(host, name)))
    const here = await connect(one, name)
    for (const host of [one, two]) {
      expect(await tryConnect(host, name)).toEqual({
        code: 'rate_limited',
        message: expect.any(String),
        retryable: true,
      })
    }

    two.killWorker(0)
    await untilLetIn(one, name)
    const left = there.filter(({ socket }) => socket.connected).length
    const more = await Promise.all(Array.from({ length: 3 - left }, () => untilConnected(one, name)))
    expect(await tryConnect(one, name)).toMatchObject({ code: 'rate_limited' })

    await two.kill()
    await untilLetIn(one, name)
    await Promise.all(Array.from({ length: left }, () => untilConnected(one, name)))
    expect(await tryConnect(one, name)).toMatchObject({ code: 'rate_limited' })
    for (const client of [here, ...more]) expect(client.disconnects).toEqual([])
  })

  it('admit users while Redis is unavailable, and count them when it is back, with nothing kept', async () => {
    const { redis, one, two } = await startHosts({ CONNECTIONS_PER_USER: '3' })
    const name = newName()
    const first = await connect(one, name)
    await redis.kill()
    const others = [await connect(two, name), await connect(two, name), await connect(two, name)]
    // Local connections are known without Redis too.
    expect(await tryConnect(two, name)).toMatchObject({ code: 'rate_limited' })
    await redis.start()
    await until(
      async () => (await tryConnect(one, name)) !== undefined,
      'the connection is counted on the other host',
    )
    expect(await tryConnect(one, name)).toMatchObject({ code: 'rate_limited' })
    for (const client of [first, ...others]) expect(client.disconnects).toEqual([])
  })
})
