/** Which requests are refused, with which error, and that no input of a client does harm. */
import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorTable } from '../../src/wire/errors.ts'
import { type ChatClient, chatEventNames } from '../harness/client/chat-client.ts'
import { chatClients } from '../harness/client/chat-clients.ts'
import { type RunningRookery, startRookery } from '../harness/cluster/cluster.ts'
import { until } from '../harness/until.ts'

let rookery: RunningRookery
const { guest } = chatClients(() => rookery.url)

const newRoom = () => `room.${randomUUID()}`

describe('requests', () => {
  beforeAll(async () => {
    const env = { WORKERS: '1', ROOMS_PER_SOCKET: '3', TEXT_MAX_CHARS: '10' }
    const rates = {
      MESSAGE_RATE: '100000',
      MESSAGE_BURST: '100000',
      REQUEST_RATE: '100000',
      REQUEST_BURST: '100000',
    }
    rookery = await startRookery({ env: { ...env, ...rates } })
  })
  afterAll(async () => {
    expect(rookery.countLogs('a request failed unexpectedly')).toBe(0)
    expect(await rookery.stop()).toBe(0)
  })

  it.each([
    ['nothing', []],
    ['null', [null]],
    ['a string', ['lobby']],
    ['a list', [['lobby']]],
    ['bytes', [Buffer.from('lobby')]],
    ['two objects', [{ room: 'lobby' }, { room: 'lobby' }]],
    ['a room of another type', [{ room: { toString: 'lobby' } }]],
    ['a room with a space', [{ room: 'the lobby' }]],
    ['a limit above the maximum', [{ room: 'lobby', limit: 201 }]],
    ['bytes as a name', [{ room: Buffer.from('lobby') }]],
  ])('with the payload %s are bad requests', async (_what, args) => {
    const ada = await guest()
    expect(await ada.refused('room:join', ...args)).toMatchObject({
      code: 'bad_request',
      message: expect.any(String),
      retryable: false,
    })
  })

  it('with an unknown event are not found', async () => {
    const ada = await guest()
    for (const event of ['nonsense', 'constructor', '__proto__', 'toString']) {
      expect(await ada.refused(event, {})).toMatchObject({ code: 'not_found' })
    }
  })

  it('with unknown keys are served', async () => {
    const ada = await guest()
    const room = newRoom()
    expect(await ada.raw('room:join', { room, colour: 'red' })).toMatchObject({ ok: true, room })
  })

  it('without an ack are served, and dropped if they are invalid', async () => {
    const ada = await guest()
    const room = newRoom()
    await ada.join(room)
    ada.socket.emit('message:send', { room, id: 'm-0', text: '' })
    ada.socket.emit('message:send', 'garbage')
    ada.socket.emit('nonsense')
    ada.socket.emit('message:send', { room, id: 'm-1', text: 'heard' })
    expect(await ada.next('message')).toMatchObject({ seq: 1, id: 'm-1' })
  })

  it('to rooms that were not joined are refused', async () => {
    const ada = await guest()
    const room = newRoom()
    for (const [event, payload] of [
      ['message:send', { room, id: 'm', text: 'x' }],
      ['message:edit', { room, id: 'm', target: 1, text: 'x' }],
      ['message:remove', { room, id: 'm', target: 1 }],
      ['typing', { room, typing: true }],
    ] as const) {
      expect(await ada.refused(event, payload)).toMatchObject({ code: 'not_joined' })
    }
  })

  it('with texts above the limit are too large, counted in code points', async () => {
    const ada = await guest()
    const room = newRoom()
    await ada.join(room)
    await ada.send(room, 'm-1', '😀'.repeat(10))
    for (const text of ['😀'.repeat(11), 'x'.repeat(11)]) {
      expect(await ada.refused('message:send', { room, id: 'm-2', text })).toMatchObject({
        code: 'too_large',
      })
    }
    expect(await ada.refused('message:send', { room, id: 'm-3', text: '\ud83d' })).toMatchObject({
      code: 'bad_request',
    })
    expect(await ada.next('message')).toMatchObject({ text: '😀'.repeat(10) })
  })

  it('for more rooms than a connection may join are refused', async () => {
    const ada = await guest()
    const rooms = [newRoom(), newRoom(), newRoom()]
    for (const room of rooms) await ada.join(room)
    expect(await ada.refused('room:join', { room: newRoom() })).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('3'),
    })
    await ada.ask('room:leave', { room: rooms[0] ?? '' })
    await ada.join(newRoom())
  })

  it('end in an ack of the protocol, with any payload', async () => {
    const ada = await guest()
    const room = newRoom()
    await ada.join(room)
    const value = fc.oneof(
      fc.json().map((json): unknown => JSON.parse(json)),
      fc.record(
        {
          room: fc.oneof(fc.constant(room), fc.string()),
          id: fc.oneof(fc.constant('m'), fc.string()),
          text: fc.string({ unit: 'binary', maxLength: 12 }),
          target: fc.oneof(fc.nat(3), fc.double(), fc.string()),
          seq: fc.oneof(fc.nat(3), fc.integer()),
          limit: fc.oneof(fc.nat(300), fc.string()),
          after: fc.oneof(fc.nat(9), fc.constant(null)),
          before: fc.nat(9),
          typing: fc.oneof(fc.boolean(), fc.string()),
        },
        { requiredKeys: [] },
      ),
    )
    const event = fc.oneof(
      fc.constantFrom(...chatEventNames),
      fc.string().map((name) => `x${name}`),
    )
    await fc.assert(
      fc.asyncProperty(event, fc.array(value, { maxLength: 3 }), async (name, args) => {
        const ack = await ada.raw(name, ...args)
        if (ack.ok === true) return
        const { code } = ack.error as { code: string }
        expect(Object.keys(errorTable)).toContain(code)
        expect(['internal', 'unavailable']).not.toContain(code)
      }),
      { numRuns: 500 },
    )
    expect(ada.disconnects).toEqual([])
    expect(rookery.workerNames()).toEqual(['w1'])
  })

  it('are counted by event and outcome, unknown events together', async () => {
    const ada = await guest()
    await ada.refused('nonsense', {})
    await until(async () => {
      const metrics = await (await fetch(`${rookery.adminUrl}/metrics`)).text()
      return (
        /rookery_chat_requests_total\{[^}]*event="unknown",code="not_found"[^}]*\} [1-9]/.test(metrics) &&
        /rookery_chat_requests_total\{[^}]*event="room:join",code="ok"[^}]*\} [1-9]/.test(metrics)
      )
    }, 'the metrics show it')
  })
})

describe('rates', () => {
  beforeAll(async () => {
    // So slow that no test gets more than the burst.
    const rates = { MESSAGE_RATE: '1', MESSAGE_BURST: '1000', REQUEST_RATE: '1', REQUEST_BURST: '2000' }
    rookery = await startRookery({ env: { WORKERS: '1', ...rates } })
  })
  afterAll(async () => {
    expect(await rookery.stop()).toBe(0)
  })

  it('of messages apply per user, over any number of connections', async () => {
    const room = newRoom()
    const name = `Ada ${randomUUID()}`
    const [one, two, other] = [await guest(name), await guest(name), await guest()]
    for (const client of [one, two, other]) await client.join(room)
    const send = (client: ChatClient, id: string) => client.raw('message:send', { room, id, text: id })
    const sends = Array.from({ length: 1010 }, (_, i) => send(i % 2 === 0 ? one : two, `m-${i}`))
    const refused = (await Promise.all(sends)).filter(({ ok }) => ok !== true)
    expect(refused).toHaveLength(10)
    for (const { error } of refused) {
      expect(error).toMatchObject({
        code: 'rate_limited',
        retryable: true,
        retryAfterMs: expect.any(Number),
      })
    }
    await one.ask('rooms', {})
    await other.send(room, 'm-other')
  })

  it('of other requests apply to garbage too', async () => {
    const ada = await guest()
    const asks = Array.from({ length: 2005 }, () => ada.raw('nonsense', {}))
    const codes = (await Promise.all(asks)).map(({ error }) => (error as { code: string }).code)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(5)
    expect(await ada.refused('dm:open', { user: 'bob' })).toMatchObject({ code: 'rate_limited' })
  })

  it('of requests that read a room leave room for the others, and apply to malformed ones too', async () => {
    const ada = await guest()
    const asks = Array.from({ length: 2005 }, () => ada.raw('room:history', {}))
    const codes = (await Promise.all(asks)).map(({ error }) => (error as { code: string }).code)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(5)
    expect(await ada.refused('rooms', {})).toMatchObject({ code: 'rate_limited' })
    await ada.ask('dm:open', { user: 'bob' })
  })
})
