import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameError, FrameReader, LENGTH_BYTES } from '../../src/core/byte-frames.ts'
import {
  entryFrame,
  eventFrame,
  helloFrame,
  memberFrame,
  messageAbandonedFrame,
  messageFrame,
  messagePartFrame,
  partFrame,
  peerGoneFrame,
  publishFrame,
  receiptFrame,
  replyFrame,
  requestFrame,
  sendFrame,
  subscribedFrame,
  subscribeFrame,
  unsubscribeFrame,
  welcomeFrame,
} from '../../src/wire/frames.ts'
import { decodePrimaryFrame, decodeWorkerFrame } from '../../src/wire/frames-decode.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const u32 = fc.nat(2 ** 32 - 1)
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const bytesOf = (frame: Buffer) => frame.subarray(LENGTH_BYTES)

const workerFrames = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), version: fc.nat(255), name: text, secret: text }),
  fc.record({ kind: fc.constant('subscribe' as const), ref: u32, group: fc.boolean(), topic: text }),
  fc.record({ kind: fc.constant('unsubscribe' as const), topic: text }),
  fc.record({
    kind: fc.constant('publish' as const),
    ref: u32,
    volatile: fc.boolean(),
    topics: fc.array(text),
    grants: fc.array(text),
    body,
    rest: u32,
  }),
  fc.record({ kind: fc.constant('part' as const), body }),
  fc.record({ kind: fc.constant('send' as const), to: text, body }),
  fc.record({ kind: fc.constant('request' as const), id: u32, method: text, params: fc.jsonValue() }),
  fc.record({ kind: fc.constant('reply' as const), id: u32, ok: fc.boolean(), value: fc.jsonValue() }),
)

type Frame = typeof workerFrames extends fc.Arbitrary<infer T> ? T : never

function encode(frame: Frame): Buffer {
  switch (frame.kind) {
    case 'hello':
      return helloFrame(frame)
    case 'subscribe':
      return subscribeFrame(frame.ref, frame.topic, frame.group)
    case 'unsubscribe':
      return unsubscribeFrame(frame.topic)
    case 'publish':
      return publishFrame(frame)
    case 'part':
      return partFrame(frame.body)
    case 'send':
      return sendFrame(frame.to, frame.body)
    case 'request':
      return requestFrame(frame.id, frame.method, frame.params)
    default:
      return replyFrame(frame.id, frame.ok, frame.value)
  }
}

describe('the frames of a worker', () => {
  it('are decoded as they were encoded', () => {
    fc.assert(
      fc.property(workerFrames, (frame) => {
        const json = JSON.parse(JSON.stringify(frame)) as typeof frame
        expect(decodeWorkerFrame(bytesOf(encode(frame)))).toEqual('body' in frame ? frame : json)
      }),
    )
  })
})

describe('the frames of the primary', () => {
  const cases: [string, Buffer, unknown][] = [
    ['welcome', welcomeFrame(), { kind: 'welcome' }],
    [
      'subscribed',
      subscribedFrame(7, true, ['w1', 'w2']),
      { kind: 'subscribed', ref: 7, refused: true, members: ['w1', 'w2'] },
    ],
    ['receipt', receiptFrame(2 ** 32 - 1, ['w1']), { kind: 'receipt', ref: 2 ** 32 - 1, workers: ['w1'] }],
    [
      'message',
      messageFrame('w1', 7, ['t'], Buffer.from('b')),
      { kind: 'message', from: 'w1', rest: 7, grants: ['t'], body: Buffer.from('b') },
    ],
    [
      'messagePart',
      messagePartFrame('w1', Buffer.from('b')),
      { kind: 'messagePart', from: 'w1', body: Buffer.from('b') },
    ],
    ['messageAbandoned', messageAbandonedFrame('w1'), { kind: 'messageAbandoned', from: 'w1' }],
    ['entry', entryFrame({ seq: 1 }), { kind: 'entry', value: { seq: 1 } }],
    ['event', eventFrame(undefined), { kind: 'event', value: null }],
    ['member', memberFrame(false, 't', 'w1'), { kind: 'member', joined: false, topic: 't', worker: 'w1' }],
    ['peerGone', peerGoneFrame('w1'), { kind: 'peerGone', worker: 'w1' }],
    ['request', requestFrame(1, 'm', [2]), { kind: 'request', id: 1, method: 'm', params: [2] }],
    ['reply', replyFrame(1, false, 'no'), { kind: 'reply', id: 1, ok: false, value: 'no' }],
  ]

  it.each(cases)('%s is decoded as it was encoded', (_name, frame, decoded) => {
    expect(decodePrimaryFrame(bytesOf(frame))).toEqual(decoded)
  })

  it.each(cases)(
    '%s cut short or with extra bytes is refused, or is another frame of its kind',
    (_name, frame) => {
      const bytes = bytesOf(frame)
      for (let end = 0; end < bytes.length; end += 1)
        expectFrameOrError(() => decodePrimaryFrame(bytes.subarray(0, end)))
      expectFrameOrError(() => decodePrimaryFrame(Buffer.concat([bytes, Buffer.from('x')])))
    },
  )
})

describe('random bytes', () => {
  it('decode to a frame or a FrameError, for both sides', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), (bytes, kind) => {
        for (const decode of [decodeWorkerFrame, decodePrimaryFrame]) {
          expectFrameOrError(() => decode(Buffer.from(bytes)))
          expectFrameOrError(() => decode(Buffer.from([kind, ...bytes])))
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a reader of frames', () => {
  it('finds the same frames however the bytes are cut', () => {
    const cuts = fc.array(fc.nat(30), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(fc.array(body.filter(({ length }) => length > 0)), cuts, (frames, sizes) => {
        const stream = Buffer.concat(frames.flatMap((frame) => [lengthOf(frame.length), frame]))
        const reader = new FrameReader(1_000)
        const found: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 0
          found.push(...reader.push(stream.subarray(at, at + Math.max(1, size))))
          at += Math.max(1, size)
        }
        expect(found.map(String)).toEqual(frames.map(String))
      }),
    )
  })

  it('refuses a frame that is empty or too long before it has arrived', () => {
    expect(() => new FrameReader(10).push(lengthOf(0))).toThrow(FrameError)
    expect(() => new FrameReader(10).push(lengthOf(11))).toThrow(FrameError)
    expect(() => new FrameReader(10).push(lengthOf(2 ** 32 - 1))).toThrow(FrameError)
    expect(new FrameReader(10).push(lengthOf(10))).toEqual([])
  })

  it('returns a long frame in one piece', () => {
    const reader = new FrameReader(20_000_000)
    const chunk = Buffer.alloc(65_536, 'x')
    expect(reader.push(lengthOf(chunk.length * 200))).toEqual([])
    for (let index = 0; index < 199; index += 1) expect(reader.push(chunk)).toEqual([])
    const [frame, ...rest] = reader.push(chunk)
    expect(frame?.length).toBe(chunk.length * 200)
    expect(rest).toEqual([])
  })
})

function expectFrameOrError(decode: () => unknown): void {
  try {
    expect(decode()).toHaveProperty('kind')
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError)
  }
}

function lengthOf(bytes: number): Buffer {
  const buffer = Buffer.alloc(LENGTH_BYTES)
  buffer.writeUInt32BE(bytes)
  return buffer
}
