import fc from 'fast-check'
import { decode, encode } from 'notepack.io'
import { MessageType } from 'socket.io-adapter'
import { describe, expect, it } from 'vitest'
import { isMsgpackWithinLimits } from '../../src/core/msgpack-limits.ts'
import { isWithinLimits } from '../../src/core/value-limits.ts'
import { publicationsOf } from '../../src/primary/emitter/outside-message.ts'
import { decodeRedisMessage, RefusedMessage } from '../../src/primary/emitter/redis-message.ts'
import { everyoneTopic, memberTopic, namespaceTopic } from '../../src/wire/topics.ts'
import { decodeBody } from '../../src/worker/adapter/codec.ts'
import { adapterMessage } from '../../src/worker/adapter/messages.ts'

const LIMITS = { maxDepth: 20, maxValues: 10_000 }

const read = (channel: string, body: unknown) =>
  decodeRedisMessage('socket.io', channel, Buffer.from(encode(body) as Uint8Array))
const request = (value: unknown) =>
  decodeRedisMessage('socket.io', 'socket.io-request#/#', Buffer.from(JSON.stringify(value)))
const packet = { type: 2, data: ['news', 1], nsp: '/' }

function refusal(act: () => unknown): string {
  try {
    return `not refused: ${JSON.stringify(act())}`
  } catch (error) {
    if (error instanceof RefusedMessage) return error.reason
    throw error
  }
}

describe('a message of an emitter', () => {
  it('has the namespace, rooms, exceptions and flags that it was published with', () => {
    const opts = { rooms: ['a', 7], except: ['b'], flags: { volatile: true, compress: false, other: 1 } }
    expect(read('socket.io#/#', ['emitter', packet, opts])).toEqual({
      kind: 'emit',
      nsp: '/',
      rooms: ['a', 7],
      except: ['b'],
      flags: { volatile: true, compress: false },
      data: ['news', 1],
    })
    expect(read('socket.io#/#a#', ['x', { type: 5, data: ['e'] }, { flags: [] }])).toMatchObject({
      nsp: '/',
      rooms: [],
      except: [],
      flags: { volatile: false },
    })
  })

  it('is refused when clients would refuse it, or when it is not one', () => {
    const opts = { rooms: [] }
    for (const data of [['connect'], ['disconnect'], [], [null], 'news', [{}]])
      expect(refusal(() => read('socket.io#/#', ['emitter', { ...packet, data }, opts]))).toBe('malformed')
    for (const body of [
      [],
      {},
      null,
      ['emitter'],
      ['emitter', packet],
      ['emitter', { ...packet, type: 0 }, opts],
    ])
      expect(refusal(() => read('socket.io#/#', body))).toBe('malformed')
    for (const nsp of ['/other', 'chat', '', 7, `/${'n'.repeat(256)}`])
      expect(refusal(() => read('socket.io#/#', ['emitter', { ...packet, nsp }, opts]))).toBe('malformed')
  })

  it('asks for no answer', () => {
    for (const type of [0, 1, 5, 7])
      expect(refusal(() => request({ type, requestId: 'q' }))).toBe('unsupported')
    expect(refusal(() => request({ type: 2, sid: 'x', room: 'r' }))).toBe('unsupported')
    expect(refusal(() => request({ type: 6, requestId: 'q', data: ['e'] }))).toBe('unsupported')
    expect(refusal(() => request({ type: 9 }))).toBe('malformed')
    expect(refusal(() => request({ type: 6, data: ['new_namespace'] }))).toBe('malformed')
    expect(request({ type: 4, opts: { rooms: ['a'], except: [] }, close: 1 })).toMatchObject({ close: true })
  })

  it('is refused when it is too deep, whatever it is written in', () => {
    let deep: unknown = 1
    for (let level = 0; level < 200; level += 1) deep = [deep]
    const data = ['news', deep]
    expect(refusal(() => read('socket.io#/#', ['emitter', { ...packet, data }, { rooms: [] }]))).toBe(
      'malformed',
    )
    const json = Buffer.from(JSON.stringify({ type: 6, data }))
    expect(refusal(() => decodeRedisMessage('socket.io', 'socket.io-request#/#', json))).toBe('malformed')
  })

  it('never throws anything else, whatever the bytes are', () => {
    const channel = fc.constantFrom(
      'socket.io#/#',
      'socket.io#/#r#',
      'socket.io-request#/#',
      'socket.io-request#',
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.anything().map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    )
    fc.assert(
      fc.property(channel, bytes, (name, content) => {
        try {
          decodeRedisMessage('socket.io', name, Buffer.from(content))
        } catch (error) {
          expect(error).toBeInstanceOf(RefusedMessage)
        }
      }),
    )
  })
})

describe('the publications for it', () => {
  const all = { nsp: '/', rooms: [], except: [] }
  const emit = { ...all, kind: 'emit' as const, flags: { volatile: false, compress: undefined }, data: ['e'] }

  it('go to the workers with members, as messages that their adapters read', () => {
    const [publication] = publicationsOf({ ...emit, rooms: ['a', undefined], except: [null, 'b'] })
    expect(publication?.topics).toEqual([memberTopic('/', 'a')])
    const body = decodeBody(publication?.body ?? Buffer.alloc(0))
    expect(body.kind === 'control' && adapterMessage.parse(body.message)).toMatchObject({
      kind: 'request',
      message: { type: MessageType.BROADCAST, data: { opts: { rooms: ['a'], except: ['b'] } } },
    })
    expect(publicationsOf(emit)).toMatchObject([{ topics: [everyoneTopic('/')] }])
    expect(publicationsOf({ kind: 'serverSideEmit', nsp: '/', data: ['e'] })).toMatchObject([
      { topics: [namespaceTopic('/')] },
    ])
  })

  it('are none when no room is one', () => {
    expect(publicationsOf({ ...emit, rooms: [undefined] })).toEqual([])
    expect(publicationsOf({ ...all, kind: 'disconnect', close: true, rooms: [null, {}] })).toEqual([])
    expect(publicationsOf({ ...all, kind: 'join', targets: [null] })).toEqual([])
  })

  it('are several for a join of many rooms, each with its grants', () => {
    const targets = Array.from({ length: 2_000 }, (_, index) => `r${index}`)
    const publications = publicationsOf({ ...all, kind: 'join', targets })
    expect(publications.map(({ grants }) => grants.length)).toEqual([1_024, 976])
  })
})

describe('the limits of values', () => {
  it('let through what notepack encodes, and nothing that is cut off', () => {
    const values = fc.anything({
      values: [fc.string({ maxLength: 300 }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
      maxDepth: 4,
    })
    fc.assert(
      fc.property(values, (value) => {
        const bytes = Buffer.from(encode(value) as Uint8Array)
        expect(isMsgpackWithinLimits(bytes, LIMITS)).toBe(true)
        expect(() => decode(bytes) as unknown).not.toThrow()
        expect(isMsgpackWithinLimits(bytes.subarray(0, -1), LIMITS)).toBe(false)
        expect(isMsgpackWithinLimits(Buffer.concat([bytes, bytes]), LIMITS)).toBe(false)
      }),
    )
  })

  it('know every type, by its length', () => {
    const binaries = [1, 300, 70_000].map((bytes) => Buffer.alloc(bytes, 1))
    const texts = [1, 40, 300, 70_000].map((chars) => 'x'.repeat(chars))
    const lists = [1, 20, 70_000].map((length) => Array.from({ length }, () => 1))
    const maps = [1, 20].map((size) => Object.fromEntries(lists[size === 1 ? 0 : 1]?.entries() ?? []))
    const others = [
      undefined,
      new Date(),
      new ArrayBuffer(5),
      2 ** 40,
      -(2 ** 40),
      -40,
      -400,
      1.5,
      255,
      70_000,
    ]
    const bytes = Buffer.from(encode([binaries, texts, lists, maps, others]) as Uint8Array)
    expect(isMsgpackWithinLimits(bytes, { maxDepth: 3, maxValues: 100_000 })).toBe(true)
    expect(isMsgpackWithinLimits(bytes, { maxDepth: 2, maxValues: 100_000 })).toBe(false)
    expect(isMsgpackWithinLimits(bytes, { maxDepth: 3, maxValues: 1_000 })).toBe(false)
  })

  it('count what JSON holds', () => {
    expect(isWithinLimits([[1], { a: [2] }], { maxDepth: 3, maxValues: 7 })).toBe(true)
    expect(isWithinLimits([[1], { a: [2] }], { maxDepth: 2, maxValues: 7 })).toBe(false)
    expect(isWithinLimits([1, 2, 3], { maxDepth: 3, maxValues: 3 })).toBe(false)
  })
})
