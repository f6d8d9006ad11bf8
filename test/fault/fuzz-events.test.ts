/**
 * Any input of a client is answered according to the protocol, or closes its own connection; no other client
 * is affected.
 */
import * as fc from 'fast-check'
import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ChatClient } from '../harness/client/chat-client.ts'
import { codeOf, connectRefusal, isValid } from '../harness/fuzz/answers.ts'
import { FuzzedHost } from '../harness/fuzz/host.ts'
import { OutcomeCounts } from '../harness/fuzz/outcome-counts.ts'
import { anyPackets, anyPollingBody, tryPackets, tryPolling } from '../harness/fuzz/packets.ts'
import { fuzzLive } from '../harness/fuzz/runs.ts'
import { anyArguments, anyAuth, anyChatEvent, anyEventName, fuzzRooms } from '../harness/fuzz/values.ts'

const JWT_SECRET = '0123456789abcdef0123456789abcdef'

const MAX_PACKET_BYTES = 65_536

let host: FuzzedHost
let client: ChatClient

beforeAll(async () => {
  host = await FuzzedHost.start()
  client = await ChatClient.guest(host.rookery.url, 'fuzzer')
  for (const room of fuzzRooms) await client.join(room)
})
afterAll(() => {
  client?.close()
  return host?.stop()
})
afterEach(() => host.expectHealthy())

describe('an event', () => {
  it('of the protocol with any payload is bad_request exactly when the protocol has no such payload', async () => {
    const codes = new OutcomeCounts()
    await fuzzLive(anyChatEvent, 2_000, async ({ event, payload }) => {
      const code = codeOf(event, await client.raw(event, payload))
      expect(code === 'bad_request', `${event} was answered with ${code}`).toBe(!isValid(event, payload))
      codes.add(code)
    })
    const usual = ['ok', 'bad_request', 'forbidden', 'not_joined', 'not_found', 'too_large']
    expect([...codes.keys()]).toEqual(expect.arrayContaining(usual))
  })

  it('of any name is answered, with any arguments and bytes among them', async () => {
    const codes = new OutcomeCounts()
    await fuzzLive(fc.tuple(anyEventName, anyArguments), 1_000, async ([event, args]) => {
      codes.add(codeOf(event, await client.raw(event, ...args)))
    })
    expect([...codes.keys()]).toEqual(expect.arrayContaining(['ok', 'bad_request', 'not_found']))
  })

  it('without an ack is served nevertheless, and nothing is thrown', async () => {
    await fuzzLive(fc.tuple(anyEventName, anyArguments), 1_000, async ([event, args]) => {
      client.socket.emit(event, ...args)
    })
    expect(codeOf('rooms', await client.raw('rooms', {}))).toBe('ok')
    expect(client.disconnects).toEqual([])
  })
})

describe('a connection', () => {
  it('with any auth is admitted or refused with an error of the table', async () => {
    const outcomes = new OutcomeCounts()
    await fuzzLive(anyAuth, 200, async (auth) => outcomes.add(await outcomeOf(host.rookery.url, auth)))
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['bad_request', 'let in']))
  })

  it('with any auth but a token is refused where tokens are required', async () => {
    const guarded = await FuzzedHost.start({ env: { AUTH: 'jwt', JWT_SECRET, WORKERS: '1' } })
    const token = await new SignJWT({ sub: 'ann' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.from(JWT_SECRET))
    const spoiltToken = fc
      .tuple(fc.nat(token.length - 1), fc.stringMatching(/^[A-Za-z0-9_.-]{1,3}$/))
      .map(([at, text]) => ({ token: `${token.slice(0, at)}${text}${token.slice(at)}` }))
    const outcomes = new OutcomeCounts()
    try {
      await fuzzLive(fc.oneof(anyAuth, spoiltToken), 200, async (auth) =>
        outcomes.add(await outcomeOf(guarded.rookery.url, auth)),
      )
      outcomes.add(await outcomeOf(guarded.rookery.url, { token }))
      expect(guarded.complaints()).toEqual([])
    } finally {
      await guarded.stop()
    }
    expect(outcomes.get('let in')).toBe(1)
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(['bad_request', 'unauthenticated']))
  })

  it('with any packets is answered or closed', async () => {
    const outcomes = new OutcomeCounts()
    await fuzzLive(anyPackets, 400, async (packets) => {
      outcomes.add(await tryPackets(host.rookery.url, packets))
    })
    expect([...outcomes.keys()].toSorted()).toEqual(['answered', 'closed'])
  })

  it('by polling with any body is answered or closed', async () => {
    const outcomes = new OutcomeCounts()
    await fuzzLive(anyPollingBody, 100, async (body) => {
      for (const status of await tryPolling(host.rookery.url, body)) outcomes.add(String(status))
    })
    expect(['200', '400', '413']).toEqual(expect.arrayContaining([...outcomes.keys()]))
    expect(outcomes.size).toBeGreaterThan(1)
  })
})

/**
 * @returns 'let in', the code of the refusal, or 'too long' for a packet above the limit, which closes the
 * connection
 */
async function outcomeOf(url: string, auth: unknown): Promise<string> {
  // A string becomes an object with a key for each of its characters.
  const given: Record<string, unknown> = { ...Object(auth) }
  const { socket } = new ChatClient(url, { auth: given, reconnection: false })
  try {
    return await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve('let in'))
      socket.io.once('close', (reason) => {
        // The client closes a refused connection by itself, and reports the refusal afterwards.
        if (reason === 'forced close') return
        if (Buffer.byteLength(`40${JSON.stringify(given)}`) > MAX_PACKET_BYTES) resolve('too long')
        else reject(new Error(`closed without a reason: ${reason}`))
      })
      socket.once('connect_error', (error: Error & { data?: unknown }) => {
        const refused = connectRefusal.safeParse(error.data)
        if (refused.success) resolve(refused.data.code)
        else reject(error)
      })
    })
  } finally {
    socket.disconnect()
  }
}
