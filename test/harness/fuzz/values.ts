/** Values that a client may send: arbitrary JSON, values that have broken servers before, and valid payloads with one error. */
import * as fc from 'fast-check'
import type { ChatEvent } from '../../../src/wire/chat.ts'

export const fuzzRooms = ['fuzz-a', 'fuzz-b', 'fuzz.c:d']

/** Objects with an own key `__proto__`, as JSON can give them, and similar ones. */
const prototypeKeys = fc.constantFrom(
  '{"__proto__":{"room":"fuzz-a","typing":true}}',
  '{"__proto__":null,"room":"fuzz-a"}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"hasOwnProperty":2,"valueOf":null,"toJSON":3}',
)

function nested(depth: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

/** Including half a surrogate pair. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    'a\udc00b',
    '\u202e',
    '\u2028',
    '👩‍👩‍👧',
    '__proto__',
    'constructor',
    '../..',
    '%00',
  ),
  fc.constantFrom(65, 129, 4_001, 9_000).map((length) => 'x'.repeat(length)),
)

const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(
    -1,
    0,
    1,
    1.5,
    201,
    2 ** 31,
    2 ** 53 - 1,
    2 ** 53,
    1e308,
    -1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
)

/** Anything that JSON can carry; NaN and infinities arrive as null. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  texts,
  numbers,
  prototypeKeys.map((json): unknown => JSON.parse(json)),
  fc.integer({ min: 1, max: 2_000 }).map(nested),
  fc.constantFrom(null, true, false, [], {}, [[]], [{}]),
)

export const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

const room = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...fuzzRooms) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-zA-Z0-9._:-]{1,64}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('dm:a:b', 'dm:b:a', 'dm::', 'dm:a', '__proto__', 'constructor', '..'),
  },
)
const id = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), fc.constantFrom('a', 'b', '__proto__'))
const sequence = fc.oneof(fc.nat(50), fc.maxSafeNat())
const limit = fc.integer({ min: 1, max: 200 })
const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(4_000), 'x'.repeat(4_001), '𝕏'.repeat(4_001)) },
)
/** Of a user, or a part of one, or an id. */
const nameOrId = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 16 }),
  fc.constantFrom('a', 'Fuzz'),
)
const optional = { requiredKeys: ['room'] } satisfies { requiredKeys: ['room'] }

type Fields = Record<string, unknown>

/** Valid payloads of the protocol. */
const payloads: Record<ChatEvent, fc.Arbitrary<Fields>> = {
  'room:join': fc.record(
    { room, after: sequence, epoch: fc.string({ minLength: 1, maxLength: 20 }), limit },
    optional,
  ),
  'room:leave': fc.record({ room }),
  'message:send': fc.record({ room, id, text }),
  'message:edit': fc.record({ room, id, target: sequence, text }),
  'message:remove': fc.record({ room, id, target: sequence }),
  'entry:append': fc.record({ room, id, kind: fc.constantFrom('stroke', 'text'), data: anyJson }),
  'room:history': fc.record({ room, after: sequence, limit }, optional),
  'room:members': fc.record({ room, search: nameOrId, after: nameOrId }, optional),
  'people:search': fc.record({ search: nameOrId, limit: fc.integer({ min: 1, max: 50 }) }),
  'room:read': fc.record({ room, seq: sequence }),
  'dm:open': fc.record({ user: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) }),
  rooms: fc.constant({}),
  typing: fc.record({ room, typing: fc.boolean() }),
}

/** One field is replaced or missing, or there is one field too many. */
export function spoiled(fields: fc.Arbitrary<Fields>): fc.Arbitrary<Fields> {
  return fields.chain((valid) => {
    const keys = Object.keys(valid)
    const key = keys.length === 0 ? fc.constant('extra') : fc.constantFrom(...keys)
    return fc.oneof(
      { weight: 6, arbitrary: fc.tuple(key, anyJson).map(([name, value]) => ({ ...valid, [name]: value })) },
      { weight: 1, arbitrary: key.map((name) => without(valid, name)) },
      {
        weight: 1,
        arbitrary: fc.tuple(texts, anyJson).map(([name, value]) => ({ ...valid, [name]: value })),
      },
    )
  })
}

function without(fields: Fields, name: string): Fields {
  const { [name]: _left, ...rest } = fields
  return rest
}

export interface FuzzedEvent {
  event: ChatEvent
  payload: unknown
}

const eventNames = Object.keys(payloads) as ChatEvent[]

/** Every event with a valid, a nearly valid or an arbitrary payload. */
export const anyChatEvent: fc.Arbitrary<FuzzedEvent> = fc.constantFrom(...eventNames).chain((event) =>
  fc.record({
    event: fc.constant(event),
    payload: fc.oneof(
      { weight: 2, arbitrary: payloads[event] },
      { weight: 5, arbitrary: spoiled(payloads[event]) },
      { weight: 2, arbitrary: anyJson },
    ),
  }),
)

/** Any number of arguments, some of them binary. */
export const anyArguments: fc.Arbitrary<unknown[]> = fc.oneof(
  fc.array(anyJson, { maxLength: 4 }),
  fc.array(fc.oneof(anyBytes, anyJson, fc.record({ room, text: anyBytes, id, nested: anyBytes })), {
    maxLength: 3,
  }),
)

/** Event names that a stock client can send. */
export const anyEventName = fc.oneof(
  fc.constantFrom(...eventNames),
  fc.constantFrom(
    'error',
    'message',
    'welcome',
    'presence',
    'draining',
    'ping',
    '__proto__',
    'constructor',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }).filter((name) => !reservedEvents.includes(name)),
)

/** Event names that Socket.IO reserves: a stock client refuses to send them. */
export const reservedEvents = [
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]

export const anyAuth = fc.oneof(
  anyJson,
  spoiled(fc.record({ name: text, key: fc.string({ minLength: 16, maxLength: 100 }) })),
  fc.record({
    token: fc.oneof(
      texts,
      fc.stringMatching(/^[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}$/),
    ),
  }),
)
