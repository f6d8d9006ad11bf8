import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rawHeader } from '../../src/core/raw-header.ts'
import { corsHeaders, preflightAnswer } from '../../src/primary/front-door/cors.ts'

const PATH = '/socket.io/'
const ORIGIN = 'https://chat.example'
const listed = { origin: ['https://other.example', ORIGIN], credentials: true }
const all = { origin: '*', credentials: false } as const
const from = (origin: string) => Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\norigin:  ${origin} \r\n\r\n`)

test('a page of a listed origin may read, with its cookies', () => {
  expect(corsHeaders(listed, from(ORIGIN))).toEqual({
    'Access-Control-Allow-Origin': ORIGIN,
    'Access-Control-Allow-Credentials': 'true',
    Vary: 'Origin',
  })
})

test.each(['https://chat.example.evil', 'https://CHAT.example', 'null', ''])(
  'a page of %j may not',
  (origin) => {
    expect(corsHeaders(listed, from(origin))).toEqual({ Vary: 'Origin' })
  },
)

test('all may read where all are allowed, and nobody where nothing is set', () => {
  expect(corsHeaders(all, from('null'))).toEqual({ 'Access-Control-Allow-Origin': '*' })
  expect(corsHeaders(undefined, from(ORIGIN))).toEqual({})
})

test.each([
  ['GET / HTTP/1.1\r\nOrigin: https://a\r\nA: b', 'https://a'],
  ['GET / HTTP/1.1\r\nOrigin: https://a', undefined],
  ['GET / HTTP/1.1\r\nA: b\r\n\r\nOrigin: https://a\r\n', undefined],
  ['Origin: https://a\r\n\r\n', undefined],
  ['GET / HTTP/1.1\r\nX-Origin: https://a\r\n\r\n', undefined],
  ['', undefined],
])('the origin in %j is %j', (head, origin) => {
  expect(rawHeader(Buffer.from(head), 'Origin')).toBe(origin)
})

const preflight = (target: string, headers = 'authorization,content-type') =>
  Buffer.from(
    `OPTIONS ${target} HTTP/1.1\r\nOrigin: ${ORIGIN}\r\nAccess-Control-Request-Method: POST\r\n` +
      `Access-Control-Request-Headers: ${headers}\r\n\r\n`,
  )

test('a preflight is answered for Socket.IO alone', () => {
  expect(preflightAnswer(listed, PATH, preflight('/socket.io/?EIO=4'))).toEqual({
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET,HEAD,PUT,PATCH,POST,DELETE',
      'Access-Control-Allow-Headers': 'authorization,content-type',
    },
  })
  expect(preflightAnswer(listed, PATH, preflight('/api/messages'))).toBeUndefined()
  expect(preflightAnswer(undefined, PATH, preflight('/socket.io/'))).toBeUndefined()
  expect(
    preflightAnswer({ ...listed, origin: ['https://a'] }, PATH, preflight('/socket.io/')),
  ).toBeUndefined()
  expect(preflightAnswer(listed, PATH, from(ORIGIN))).toBeUndefined()
})

test('nothing but names of headers is repeated to the client', () => {
  expect(preflightAnswer(listed, PATH, preflight('/socket.io/', 'a: b\u00fc'))?.headers).not.toHaveProperty(
    'Access-Control-Allow-Headers',
  )
})

test('any bytes give valid headers', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const head = Buffer.concat([preflight('/socket.io/').subarray(0, -2), bytes])
      const headers = { ...corsHeaders(listed, head), ...preflightAnswer(listed, PATH, head)?.headers }
      for (const value of Object.values(headers)) expect(value).toMatch(/^[ -~]*$/)
    }),
  )
})
