import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  createAccept,
  createHello,
  createRequest,
  type ForwardRequest,
  isAccept,
  isHello,
  readRequest,
} from '../../src/wire/forward.ts'

const SECRET = 'a secret of more than thirty-two bytes'
const hello = createHello(Buffer.alloc(16, 1))
const request: ForwardRequest = {
  to: 'abcdef',
  nonce: 'bm9uY2U',
  client: { address: '2001:db8::1', port: 40_000 },
}
const bytes = createRequest(request, hello, SECRET)

test('a request is decoded as it was written, and is partial at every shorter length', () => {
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readRequest(bytes.subarray(0, length), hello, [SECRET])).toEqual({ state: 'partial' })
  }
  expect(readRequest(bytes, hello, [SECRET])).toEqual({ state: 'complete', request, secret: SECRET })
})

test('a request with one extra byte is invalid', () => {
  const longer = Buffer.concat([bytes, Buffer.from('G')])
  expect(readRequest(longer, hello, [SECRET])).toEqual({ state: 'refused', reason: 'malformed' })
})

test('a request with any bit changed is refused, or waits for more', () => {
  for (let at = 0; at < bytes.length * 8; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
    expect(readRequest(changed, hello, [SECRET]).state).not.toBe('complete')
  }
})

test('the check returns which of several secrets signed the request', () => {
  const read = readRequest(bytes, hello, ['another one', SECRET])
  expect(read).toEqual({ state: 'complete', request, secret: SECRET })
})

test('another secret, or the hello of another connection, makes it a forgery', () => {
  const forged = { state: 'refused', reason: 'forged' }
  expect(readRequest(bytes, hello, [`${SECRET}.`])).toEqual(forged)
  expect(readRequest(bytes, createHello(Buffer.alloc(16, 2)), [SECRET])).toEqual(forged)
})

test.each([
  { ...request, client: { address: 'example.org', port: 1 } },
  { ...request, client: { address: '::1', port: 65_536 } },
  { ...request, to: '' },
  { to: 'abcdef' },
  [],
])('a signed value that is not a request is refused: %j', (value) => {
  const signed = createRequest(value as ForwardRequest, hello, SECRET)
  expect(readRequest(signed, hello, [SECRET])).toEqual({ state: 'refused', reason: 'malformed' })
})

test('a request longer than 512 bytes is refused', () => {
  const long = createRequest({ ...request, nonce: 'x'.repeat(600) }, hello, SECRET)
  expect(readRequest(long.subarray(0, 6), hello, [SECRET])).toEqual({ state: 'refused', reason: 'malformed' })
})

test('random bytes are never a request', () => {
  for (let n = 0; n < 2_000; n += 1) {
    const noise = Buffer.concat([bytes.subarray(0, n % 7), randomBytes(n % 700)])
    expect(readRequest(noise, hello, [SECRET]).state).not.toBe('complete')
  }
})

test('only a holder of the secret can accept, and only this request', () => {
  const accept = createAccept(bytes, SECRET)
  expect(isAccept(accept, bytes, SECRET)).toBe(true)
  expect(isAccept(createAccept(bytes, `${SECRET}.`), bytes, SECRET)).toBe(false)
  const another = createRequest({ ...request, nonce: 'another' }, hello, SECRET)
  expect(isAccept(accept, another, SECRET)).toBe(false)
  expect(isAccept(accept.subarray(1), bytes, SECRET)).toBe(false)
  expect(isAccept(Buffer.concat([bytes.subarray(0, 4), bytes.subarray(-32)]), bytes, SECRET)).toBe(false)
})

test('a hello has the right length and first bytes', () => {
  expect(isHello(hello)).toBe(true)
  expect(isHello(hello.subarray(1))).toBe(false)
  expect(isHello(Buffer.alloc(hello.length))).toBe(false)
})
