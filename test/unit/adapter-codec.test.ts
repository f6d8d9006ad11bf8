import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameError } from '../../src/core/byte-frames.ts'
import { encodeControl } from '../../src/wire/adapter-control.ts'
import { cloneable } from '../../src/worker/adapter/cloneable.ts'
import { decodeBody, encodeAnswerStep, encodeBroadcast } from '../../src/worker/adapter/codec.ts'
import { adapterMessage } from '../../src/worker/adapter/messages.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const room = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
)
const packet = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
)

describe('the body of a broadcast', () => {
  it('is decoded as it was encoded', () => {
    const broadcast = fc.record({
      nsp: text,
      rooms: fc.array(room),
      except: fc.array(room),
      flags: fc.record({ volatile: fc.boolean(), compress: fc.option(fc.boolean(), { nil: undefined }) }),
      ackRequest: fc.option(fc.record({ id: text, timeoutMs: fc.nat(2 ** 31) }), { nil: undefined }),
      packets: fc.array(packet),
    })
    fc.assert(
      fc.property(broadcast, (body) => {
        expect(decodeBody(encodeBroadcast(body))).toEqual({ kind: 'broadcast', ...body })
      }),
    )
  })

  it('accepts only strings and numbers as rooms, and only bytes as attachments', () => {
    const body = {
      nsp: '/',
      rooms: [],
      except: [],
      flags: { volatile: false, compress: undefined },
      ackRequest: undefined,
    }
    expect(() => encodeBroadcast({ ...body, rooms: [true as unknown as string], packets: [] })).toThrow(
      TypeError,
    )
    expect(() => encodeBroadcast({ ...body, packets: [new Blob([]) as unknown as Buffer] })).toThrow(
      TypeError,
    )
  })
})

describe('the steps of a long answer', () => {
  const id = fc.nat(2 ** 32 - 1)
  const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array))
  const step = fc.oneof(
    fc.record({ step: fc.constant('offer' as const), id, bytes: id }),
    fc.record({ step: fc.constant('ask' as const), id, at: id }),
    fc.record({ step: fc.constant('piece' as const), id, at: id, body: bytes }),
    fc.record({ step: fc.constantFrom('refuse' as const, 'lost' as const), id }),
  )

  it('are decoded as they were encoded', () => {
    fc.assert(
      fc.property(step, (one) => {
        expect(decodeBody(encodeAnswerStep(one))).toEqual({ kind: 'answer', step: one })
      }),
    )
  })
})

describe('the body of a message', () => {
  it('keeps what JSON would lose', () => {
    const message = {
      map: new Map([[1, new Set(['x'])]]),
      at: new Date(7),
      nothing: undefined,
      bytes: Buffer.from('b'),
    }
    expect(decodeBody(encodeControl('/', message))).toEqual({ kind: 'control', nsp: '/', message })
  })
})

describe('random bytes', () => {
  it('decode to a body or a FrameError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(3), (bytes, kind) => {
        for (const garbage of [Buffer.from(bytes), Buffer.from([kind, 0, 0, 0, 1, 0x2f, ...bytes])]) {
          try {
            const body = decodeBody(garbage)
            expect(['broadcast', 'control', 'answer']).toContain(body.kind)
            if (body.kind === 'control') adapterMessage.safeParse(body.message)
          } catch (error) {
            expect(error).toBeInstanceOf(FrameError)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the cloneable part of a value', () => {
  it('is the whole value when all of it can be cloned', () => {
    const value = { a: [1, new Map(), Buffer.from('x')] }
    const lost: string[] = []
    expect(cloneable(value, (path) => lost.push(path))).toBe(value)
    expect(lost).toEqual([])
  })

  it('leaves out functions, throwing traps and endless depth, and reports where they were', () => {
    const endless: Record<string, unknown> = { fn: () => 1 }
    endless['self'] = endless
    const trapped = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    )
    const lost: string[] = []
    const found = cloneable({ a: { fn: () => 1, b: 2 }, trapped }, (path) => lost.push(path))
    expect(found).toEqual({ a: { fn: undefined, b: 2 }, trapped: undefined })
    expect(lost).toEqual(['.a.fn', '.trapped'])
    expect(cloneable(endless, () => undefined)).toHaveProperty('self.self.self')
  })
})
