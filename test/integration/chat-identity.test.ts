/** Authentication: which clients are admitted, under which id, and for how long. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChatClient } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

const SECRET = 'a secret that is long enough for HS256, really'

let rookery: RunningRookery
const clients = chatClients(() => rookery.url)

afterAll(async () => {
  await rookery.stop()
})

function connect(auth: object): ChatClient {
  return clients.connect({ auth, reconnectionDelay: 50, reconnectionDelayMax: 100 })
}

function signed(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(typeof claims['exp'] === 'number' ? claims['exp'] : '1h')
    .sign(Buffer.from(SECRET))
}

describe('guests', () => {
  beforeAll(async () => {
    rookery = await startRookery({ env: { WORKERS: '1' } })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
  })

  it.each([{}, { name: '' }, { name: 'A\nB' }, { name: 'Ada', key: 'short' }, { name: 'x'.repeat(65) }])(
    'are refused with %j',
    async (auth) => {
      expect(await connect(auth).refusal()).toEqual({
        code: 'bad_request',
        message: expect.any(String),
        retryable: false,
      })
    },
  )

  it('keep their id with their key, and get a new one without it', async () => {
    const key = 'a key that nobody else has'
    const users = []
    for (const auth of [{ name: 'Ada', key }, { name: 'Ada Lovelace', key }, { name: 'Ada' }]) {
      const client = connect(auth)
      users.push((await client.next('welcome')).user)
    }
    const [first, renamed, keyless] = users
    expect(renamed).toEqual({ id: first?.id, name: 'Ada Lovelace' })
    expect(keyless?.id).not.toBe(first?.id)
    expect(first?.id).toMatch(/^[A-Za-z0-9_-]{1,28}$/)
    expect(rookery.tail()).not.toContain(key)
  })
})

describe('tokens signed with the secret', () => {
  beforeAll(async () => {
    rookery = await startRookery({
      env: { WORKERS: '1', AUTH: 'jwt', JWT_SECRET: SECRET, JWT_ISSUER: 'us', LOG_LEVEL: 'debug' },
    })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
  })

  it('identify the user', async () => {
    const client = connect({ token: await signed({ sub: 'ada@example.org', name: 'Ada', iss: 'us' }) })
    expect((await client.next('welcome')).user).toEqual({ id: 'ada@example.org', name: 'Ada' })
  })

  it.each([
    ['UUIDs', 'b1946ac9-2d3c-4a51-8e0f-1c2d3e4f5a6b', 'c2946ac9-2d3c-4a51-8e0f-1c2d3e4f5a6b'],
    ['ids of a provider', 'auth0|65f0c1d2e3', 'google-oauth2|1234567890'],
    ['e-mail addresses', 'ada@example.org', 'grace.hopper+navy@example.org'],
    ['the longest ids', '☃'.repeat(85), 'x'.repeat(255)],
  ])('give users direct messages: %s', async (_kind, one, other) => {
    const [ada, bob, eve] = await Promise.all(
      [one, other, 'eve'].map(async (sub) => {
        const client = connect({ token: await signed({ sub, iss: 'us' }) })
        await client.next('welcome')
        return client
      }),
    )
    if (ada === undefined || bob === undefined || eve === undefined) throw new Error('there are three')
    const { room } = await ada.ask('dm:open', { user: other })
    expect(await bob.ask('dm:open', { user: one })).toEqual({ room })
    await bob.ask('rooms', {})
    await ada.join(room)
    await ada.send(room, 'm-1', 'are you there?')
    expect(await bob.next('room')).toEqual({ room, head: 1, from: ada.user })
    expect((await bob.ask('rooms', {})).rooms).toEqual([{ room, head: 1, read: 0, unread: 1 }])
    const { messages, members } = await bob.join(room)
    expect(messages).toMatchObject([{ text: 'are you there?', from: { id: one } }])
    expect(members.map(({ id }) => id).toSorted()).toEqual([one, other].toSorted())
    await bob.send(room, 'm-2', 'yes')
    expect((await ada.next('message', ({ seq }) => seq === 2)).from.id).toBe(other)
    expect(await eve.refused('room:join', { room })).toMatchObject({ code: 'forbidden' })
  })

  it('are required', async () => {
    expect(await connect({ name: 'Ada' }).refusal()).toMatchObject({ code: 'unauthenticated' })
    expect(await connect({ token: 7 }).refusal()).toMatchObject({ code: 'bad_request' })
    const foreign = await signed({ sub: 'ada', iss: 'them' })
    expect(await connect({ token: foreign }).refusal()).toEqual({
      code: 'unauthenticated',
      message: expect.stringContaining('iss'),
      retryable: false,
    })
    const expired = await signed({ sub: 'ada', iss: 'us', exp: 1 })
    expect(await connect({ token: expired }).refusal()).toMatchObject({ code: 'unauthenticated' })
    expect(rookery.tail()).not.toContain(foreign)
  })

  it('end the connection when they expire, and the client reconnects with the next one', async () => {
    const ends: number[] = []
    const token = (): Promise<string> => {
      if (ends.length > 0) return signed({ sub: 'ada', iss: 'us' })
      ends.push(Math.floor(Date.now() / 1000) + 3)
      return signed({ sub: 'ada', iss: 'us', exp: ends[0] })
    }
    const client = clients.connect({
      auth: (give) => void token().then((made) => give({ token: made })),
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
    })
    await client.next('welcome')
    await until(() => client.all('welcome').length === 2, 'the client is welcomed again')
    expect(client.disconnects).toEqual(['transport close'])
    expect(Date.now()).toBeGreaterThanOrEqual((ends[0] ?? 0) * 1000)
  })
})

describe('tokens signed with a key of a published set', () => {
  let keySet: Server
  let sign: (kid: string) => Promise<string>

  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
    keySet = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
    })
    await new Promise<void>((resolve) => keySet.listen(0, '127.0.0.1', resolve))
    sign = (kid) =>
      new SignJWT({ sub: 'ada', aud: 'chat' })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setExpirationTime('1h')
        .sign(privateKey)
    const JWKS_URL = `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`
    rookery = await startRookery({ env: { WORKERS: '1', AUTH: 'jwt', JWKS_URL, JWT_AUDIENCE: 'chat' } })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
    await new Promise((resolve) => keySet.close(resolve))
  })

  it('are accepted with a key of the set, and refused with any other', async () => {
    const client = connect({ token: await sign('one') })
    expect((await client.next('welcome')).user).toEqual({ id: 'ada', name: 'ada' })
    expect(await connect({ token: await sign('two') }).refusal()).toMatchObject({ code: 'unauthenticated' })
    const symmetric = await signed({ sub: 'ada', aud: 'chat' })
    expect(await connect({ token: symmetric }).refusal()).toMatchObject({ code: 'unauthenticated' })
  })
})
