/** The HTTP API, and the page that describes the server. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'

const API_KEY = 'the key of the API'

let rookery: RunningRookery
const { guest } = chatClients(() => rookery.url)

const newRoom = () => `room.${randomUUID()}`
const from = { id: 'bot', name: 'Bot' }

interface Answer {
  status: number
  body: Record<string, unknown>
}

async function call(path: string, init: RequestInit = {}, key: string | null = API_KEY): Promise<Answer> {
  const headers = new Headers(init.headers)
  if (key !== null) headers.set('authorization', `Bearer ${key}`)
  const response = await fetch(`${rookery.url}${path}`, { ...init, headers })
  expect(response.headers.get('content-type')).toContain('application/json')
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

function publish(room: string, body: unknown, key?: string | null): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return call(`/api/rooms/${room}/messages`, { method: 'POST', headers, body: JSON.stringify(body) }, key)
}

/** Publishes a body in this number of pieces, without a content length. */
function publishInPieces(room: string, count: number): Promise<Answer> {
  const body = JSON.stringify({ id: randomUUID(), from, text: 'x'.repeat(count) })
  const pieces = Array.from({ length: Math.ceil(body.length / 100) }, (_, i) =>
    Buffer.from(body.slice(i * 100, (i + 1) * 100)),
  )
  const headers = { 'content-type': 'application/json' }
  const init: RequestInit = { method: 'POST', headers, body: ReadableStream.from(pieces), duplex: 'half' }
  return call(`/api/rooms/${room}/messages`, init)
}

function refusal(status: number, code: string): object {
  return {
    status,
    body: { ok: false, error: expect.objectContaining({ code, message: expect.any(String) }) },
  }
}

describe('with a key', () => {
  beforeAll(async () => {
    rookery = await startRookery({ env: { WORKERS: '2', API_KEY } })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
  })

  it('publishes to the members of the room, once', async () => {
    const room = newRoom()
    const ada = await guest('Ada')
    await ada.join(room)
    const sent = await publish(room, { id: 'm-1', text: 'Hear ye', from })
    expect(sent).toEqual({
      status: 200,
      body: { ok: true, seq: 1, at: expect.any(Number), duplicate: false },
    })
    expect(await ada.next('message')).toMatchObject({ seq: 1, kind: 'text', text: 'Hear ye', from })
    const again = await publish(room, { id: 'm-1', text: 'Hear ye', from })
    expect(again.body).toEqual({ ...sent.body, duplicate: true })
    expect(await publish(room, { id: 'm-1', text: 'Hear me', from })).toEqual(refusal(409, 'conflict'))
  })

  it('reads history and presence', async () => {
    const room = newRoom()
    const ada = await guest('Ada')
    const { epoch } = await ada.join(room)
    for (const id of ['m-1', 'm-2', 'm-3']) await publish(room, { id, text: id, from })
    const page = await call(`/api/rooms/${room}/messages?after=1&limit=1`)
    expect(page).toMatchObject({ status: 200, body: { ok: true, epoch, head: 3, more: true } })
    expect(page.body.messages).toMatchObject([{ seq: 2, id: 'm-2' }])
    const all = await call(`/api/rooms/${room}/messages`)
    expect(all.body.messages).toHaveLength(3)
    expect(await call(`/api/rooms/${room}/members`)).toEqual({
      status: 200,
      body: { ok: true, members: [ada.user], count: 1 },
    })
  })

  it('publishes to a direct room only as one of its two users', async () => {
    const room = 'dm:bot:human'
    expect(await publish(room, { id: randomUUID(), text: 'x', from })).toMatchObject({ status: 200 })
    const stranger = { id: 'stranger', name: 'S' }
    expect(await publish(room, { id: 'm', text: 'x', from: stranger })).toEqual(refusal(403, 'forbidden'))
    expect(await publish('dm:human:bot', { id: 'm', text: 'x', from })).toEqual(refusal(400, 'bad_request'))
  })

  it('refuses requests without a key or with a wrong one', async () => {
    for (const key of [null, 'wrong', `${API_KEY}x`]) {
      expect(await call('/api/rooms/lobby/members', {}, key)).toEqual(refusal(401, 'unauthenticated'))
      expect(await publish('lobby', { id: 'm', text: 'x', from }, key)).toEqual(
        refusal(401, 'unauthenticated'),
      )
    }
    expect(rookery.tail()).not.toContain(API_KEY)
  })

  it.each([
    ['no JSON', '{', 'application/json'],
    ['another type', JSON.stringify({ id: 'm', text: 'x', from }), 'text/plain'],
    ['no text', JSON.stringify({ id: 'm', from }), 'application/json'],
    [
      'an author without a name',
      JSON.stringify({ id: 'm', text: 'x', from: { id: 'a' } }),
      'application/json',
    ],
    [
      'an author’s id with a line end',
      JSON.stringify({ id: 'm', text: 'x', from: { id: 'a\n', name: 'A' } }),
      'application/json',
    ],
    ['null', 'null', 'application/json'],
  ])('refuses a body with %s', async (_what, body, type) => {
    const init = { method: 'POST', headers: { 'content-type': type }, body }
    expect(await call('/api/rooms/lobby/messages', init)).toEqual(refusal(400, 'bad_request'))
  })

  it('refuses values that are too large, unknown or out of range', async () => {
    expect(await publish('lobby', { id: 'm', text: 'x'.repeat(4001), from })).toEqual(
      refusal(413, 'too_large'),
    )
    expect(await publish('lobby', { id: 'm', text: 'x'.repeat(100_000), from })).toEqual(
      refusal(413, 'too_large'),
    )
    expect(await publishInPieces('lobby', 3_000)).toMatchObject({ status: 200, body: { ok: true } })
    expect(await publishInPieces('lobby', 300_000)).toEqual(refusal(413, 'too_large'))
    expect(await call('/api/nonsense')).toEqual(refusal(404, 'not_found'))
    expect(await call('/api')).toEqual(refusal(404, 'not_found'))
    expect(await call('/api/rooms/lobby/messages', { method: 'DELETE' })).toEqual(refusal(404, 'not_found'))
    for (const query of ['limit=0', 'limit=201', 'after=1&before=5', 'after=-1', 'limit=ten', 'before=1e3']) {
      expect(await call(`/api/rooms/lobby/messages?${query}`)).toEqual(refusal(400, 'bad_request'))
    }
    expect(await call('/api/rooms/the%20lobby/members')).toEqual(refusal(400, 'bad_request'))
    expect(await call('/api/rooms/%ff/members')).toEqual(refusal(400, 'bad_request'))
  })
})

it('is off without a key', async () => {
  rookery = await startRookery({ env: { WORKERS: '1' } })
  try {
    expect(await call('/api/rooms/lobby/members', {}, 'any')).toEqual(refusal(404, 'not_found'))
    expect(await publish('lobby', { id: 'm', text: 'x', from }, null)).toEqual(refusal(404, 'not_found'))
  } finally {
    await rookery.stop()
  }
})
