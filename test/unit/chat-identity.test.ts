import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import type { Socket } from 'socket.io'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { closeAtExpiry } from '../../src/chat/auth/authenticate-connections.ts'
import { authenticator, persistentUsers } from '../../src/chat/auth/authenticator.ts'
import { guest, guestId } from '../../src/chat/auth/guest.ts'
import type { AppSettings } from '../../src/wire/app.ts'
import { userName } from '../../src/wire/chat.ts'
import { directRoom } from '../../src/wire/chat-direct.ts'
import { givenName } from '../../src/wire/names.ts'

const TWO_YEARS_MS = 730 * 86_400_000
const SECRET = 'a secret that is long enough for HS256, really'

const guestSettings: AppSettings = {
  auth: 'guest',
  jwtSecret: undefined,
  jwtSecretOther: undefined,
  jwksUrl: undefined,
  jwtIssuer: undefined,
  jwtAudience: undefined,
  apiKey: undefined,
  peopleSearch: true,
  textMaxChars: 4000,
  roomsPerSocket: 100,
  messageRate: 10,
  messageBurst: 20,
  requestRate: 20,
  requestBurst: 60,
  slowClientBytes: 1_000_000,
  slowClientMs: 30_000,
}
const jwtSettings: AppSettings = { ...guestSettings, auth: 'jwt', jwtSecret: SECRET }

const inSec = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

function token(claims: Record<string, unknown>, secret = SECRET): Promise<string> {
  return new SignJWT({ exp: inSec(3_600), ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(secret))
}

describe('guests', () => {
  const key = 'k'.repeat(16)

  it('get an id from their key; the id does not reveal the key and fits a direct room', () => {
    const { user } = guest({ name: ' Ada ', key })
    expect(user).toEqual({ id: guestId(key), name: 'Ada' })
    expect(user.id).toMatch(/^g_[A-Za-z0-9_-]{26}$/)
    expect(guest({ name: 'Somebody else', key }).user.id).toBe(user.id)
    expect(guestId(`${key}x`)).not.toBe(user.id)
    expect(directRoom(user.id, user.id)).toBeDefined()
  })

  it('get a new id each time without a key', () => {
    const [first, second] = [guest({ name: 'Ada' }).user, guest({ name: 'Ada' }).user]
    expect(first.id).not.toBe(second.id)
    expect(first.id).toMatch(/^p_[A-Za-z0-9_-]{26}$/)
    expect(directRoom(first.id, second.id)).toBeDefined()
  })

  it('can return only with a key; users with a token can always return', () => {
    const passing = guest({ name: 'Ada' }).user.id
    const isPersistentUser = persistentUsers(guestSettings)
    expect([isPersistentUser(passing), isPersistentUser(guestId('a key of somebody'))]).toEqual([false, true])
    expect(persistentUsers(jwtSettings)(passing)).toBe(true)
  })

  it.each([undefined, null, 'Ada', {}, { name: '' }, { name: 'Ada', key: 'short' }, { name: 'Ada', key: 1 }])(
    'are refused with %j',
    async (auth) => {
      await expect(authenticator(guestSettings)(auth)).rejects.toMatchObject({ code: 'bad_request' })
    },
  )
})

describe('tokens signed with a secret', () => {
  const authenticate = authenticator(jwtSettings)

  it('identify the user and set the expiry', async () => {
    const exp = Math.floor(Date.now() / 1000) + 60
    const identity = await authenticate({ token: await token({ sub: 'ada', name: 'Ada', exp }) })
    expect(identity).toEqual({ user: { id: 'ada', name: 'Ada' }, expiresAtMs: exp * 1000 })
  })

  it('use the id as the name when they hold no name', async () => {
    expect((await authenticate({ token: await token({ sub: 'ada' }) })).user).toEqual({
      id: 'ada',
      name: 'ada',
    })
    const sub = `${'x'.repeat(62)}😀${'é'.repeat(90)}`
    expect((await authenticate({ token: await token({ sub }) })).user).toEqual({
      id: sub,
      name: `${'x'.repeat(62)}…`,
    })
  })

  it.each([
    ['an invisible tail', 'Ada\u200b\u3164', 'Ada'],
    ['an invisible character in the middle', 'A\u2060d\u00ada', 'Ada'],
    ['changes of direction', '\u202eAda\u2066', 'Ada'],
    ['control characters', 'Ada\u0007\nLovelace\u2028', 'Ada Lovelace'],
    ['private and broken characters', 'A\ue000da\ud800', 'Ada'],
    ['a pile of marks', `A${'\u0335'.repeat(9)}`, `A${'\u0335'.repeat(4)}`],
    ['a mark at its beginning', '\u0301Ada', 'Ada'],
    ['joiners that shape', 'علی\u200cرضا 👩\u200d👧', 'علی\u200cرضا 👩\u200d👧'],
    ['more than 64 characters', `${'x'.repeat(61)}👩\u200d👧y`, `${'x'.repeat(61)}…`],
    ['nothing that can be seen', '\u200b \u3164', 'ada'],
    ['no letters at all', '', 'ada'],
    ['another type', 42, 'ada'],
  ])('give a name with %s as far as it can be seen', async (_what, name, shown) => {
    const { user } = await authenticate({ token: await token({ sub: 'ada', name }) })
    expect(user).toEqual({ id: 'ada', name: shown })
  })

  it('keep nobody out for the name, whatever it is', async () => {
    const characters = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.array(
        fc.constantFrom(
          '\u094d',
          '\u200d',
          '\u3164',
          '\u0301',
          '👩',
          'a',
          'ک',
          '\u{e0100}',
          '葛',
          '\ufe0f',
          '…',
        ),
      ),
    )
    expect(givenName('\u0301 א', 'ada')).toBe('א')
    fc.assert(
      fc.property(characters, (name) => {
        const shown = givenName(Array.isArray(name) ? name.join('') : name, '\u200b')
        expect(userName.parse(shown)).toBe(shown)
      }),
    )
  })

  it.each([
    ['another secret', () => token({ sub: 'ada' }, 'another secret that is long enough, too')],
    ['no signature', async () => new UnsecuredJWT({ sub: 'ada' }).encode()],
    ['no sub', () => token({ name: 'Ada' })],
    ['a sub that is too long', () => token({ sub: 'é'.repeat(128) })],
    ['no end', () => token({ sub: 'ada', exp: undefined })],
    ['an end in the past', () => token({ sub: 'ada', exp: 1 })],
    ['an end just now', () => token({ sub: 'ada', exp: inSec(-1) })],
    ['a start in the future', () => token({ sub: 'ada', nbf: inSec(120) })],
    ['an issue in the future', () => token({ sub: 'ada', iat: inSec(120) })],
    ['no form at all', async () => 'garbage'],
  ])('are refused with %s', async (_what, make) => {
    const refused = authenticate({ token: await make() })
    await expect(refused).rejects.toMatchObject({ code: 'unauthenticated', retryable: false })
  })

  it('are accepted from a provider whose clock is a little ahead', async () => {
    const claims = { sub: 'ada', nbf: inSec(30), iat: inSec(30) }
    expect((await authenticate({ token: await token(claims) })).user.id).toBe('ada')
  })

  it('are accepted with the other secret while it is changed', async () => {
    const other = 'the secret of tomorrow, which is long enough'
    const both = authenticator({ ...jwtSettings, jwtSecretOther: other })
    for (const secret of [SECRET, other])
      expect((await both({ token: await token({ sub: 'ada' }, secret) })).user.id).toBe('ada')
    const third = await token({ sub: 'ada' }, 'a third secret that is long enough for it')
    for (const refused of [
      both({ token: third }),
      authenticate({ token: await token({ sub: 'ada' }, other) }),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'unauthenticated', retryable: false })
  })

  it('never appear in the error', async () => {
    const bad = await token({ sub: 'ada' }, 'another secret that is long enough, too')
    const error: unknown = await authenticate({ token: bad }).catch((reason: unknown) => reason)
    expect(String(error)).not.toContain(bad.slice(0, 10))
  })

  it('must be meant for this server when an issuer and an audience are set', async () => {
    const strict = authenticator({ ...jwtSettings, jwtIssuer: 'us', jwtAudience: 'chat' })
    const claims = { sub: 'ada', iss: 'us', aud: 'chat' }
    expect((await strict({ token: await token(claims) })).user.id).toBe('ada')
    for (const wrong of [{ iss: 'them' }, { aud: 'mail' }]) {
      const refused = strict({ token: await token({ ...claims, ...wrong }) })
      await expect(refused).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    await expect(strict({ token: await token({ sub: 'ada' }) })).rejects.toThrow('iss')
  })

  it('expire by the clock that is passed in, which does not jump', async () => {
    let nowMs = Date.now()
    const judged = authenticator(jwtSettings, () => nowMs)
    const signed = await token({ sub: 'ada', exp: Math.floor(nowMs / 1000) + 60 })
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs + TWO_YEARS_MS })
    try {
      expect((await judged({ token: signed })).user.id).toBe('ada')
    } finally {
      vi.useRealTimers()
    }
    nowMs += 61_000
    await expect(judged({ token: signed })).rejects.toThrow('the token has expired')
  })

  it('end a connection soon after the clock was put right, which was decades behind when it was made', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let nowMs = 0
      const close = vi.fn()
      const socket = Object.assign(new EventEmitter(), { conn: { close } })
      closeAtExpiry(socket as unknown as Socket, Date.UTC(2030), () => nowMs)
      nowMs = Date.UTC(2030, 1)
      vi.advanceTimersByTime(600_000)
      expect(close).toHaveBeenCalledOnce()
    } finally {
      vi.useRealTimers()
    }
  })

  it('need exactly one source for the key', () => {
    expect(() => authenticator({ ...jwtSettings, jwtSecret: undefined })).toThrow('JWKS_URL')
    expect(() => authenticator({ ...jwtSettings, jwksUrl: 'http://127.0.0.1/' })).toThrow('exactly one')
  })
})

describe('tokens signed with a key of a published key set', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  async function keySet(body: () => { status: number; json: unknown }): Promise<string> {
    const server = createServer((_request, response) => {
      const { status, json } = body()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(() => new Promise((resolve) => server.close(() => resolve())))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  }

  it('are accepted with that key and refused with another', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
    const jwksUrl = await keySet(() => ({ status: 200, json: { keys: [jwk] } }))
    const authenticate = authenticator({ ...jwtSettings, jwtSecret: undefined, jwksUrl })
    const sign = (kid: string) =>
      new SignJWT({ sub: 'ada', exp: inSec(3_600) })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(privateKey)
    expect((await authenticate({ token: await sign('one') })).user.id).toBe('ada')
    await expect(authenticate({ token: await sign('two') })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    await expect(authenticate({ token: await token({ sub: 'ada' }) })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it('are accepted with a new key although the last keys were fetched while the clock was years ahead', async () => {
    const pairs = await Promise.all(['one', 'two'].map(() => generateKeyPair('ES256')))
    const [one, two] = await Promise.all(
      pairs.map(async ({ publicKey, privateKey }, index) => {
        const kid = `key ${index}`
        const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }
        const signer = new SignJWT({ sub: 'ada', exp: inSec(3_600) }).setProtectedHeader({
          alg: 'ES256',
          kid,
        })
        return { jwk, signed: await signer.sign(privateKey) }
      }),
    )
    let published = one
    const jwksUrl = await keySet(() => ({ status: 200, json: { keys: [published?.jwk] } }))
    const authenticate = authenticator({ ...jwtSettings, jwtSecret: undefined, jwksUrl })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + TWO_YEARS_MS })
    try {
      expect((await authenticate({ token: one?.signed })).user.id).toBe('ada')
    } finally {
      vi.useRealTimers()
    }
    published = two
    expect((await authenticate({ token: two?.signed })).user.id).toBe('ada')
  })

  it('are refused as retryable while the key set can’t be fetched', async () => {
    const jwksUrl = await keySet(() => ({ status: 500, json: {} }))
    const authenticate = authenticator({ ...jwtSettings, jwtSecret: undefined, jwksUrl })
    const { privateKey } = await generateKeyPair('ES256')
    const signed = await new SignJWT({ sub: 'ada', exp: inSec(3_600) })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(privateKey)
    await expect(authenticate({ token: signed })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    })
  })
})
