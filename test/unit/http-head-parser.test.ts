import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HttpHeadParser, type HttpHeadProgress } from '../../src/core/http-head-parser.ts'

const LIMIT_BYTES = 4_096
const SOCKET_IO_HEAD =
  'GET /socket.io/?EIO=4&transport=polling&sid=abcdef1-AAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\n' +
  'Host: chat.example\r\nCookie: sid=other; a=b\r\nX-Empty:\r\nX-Latin: \xe9\r\n\r\n'

function push(reader: HttpHeadParser, ...parts: string[]): HttpHeadProgress {
  let progress: HttpHeadProgress = { state: 'partial' }
  for (const part of parts) progress = reader.push(Buffer.from(part, 'latin1'))
  return progress
}

const head = (fill: number) => `GET / HTTP/1.1\r\nA: ${'b'.repeat(fill)}\r\n\r\n`
const bytewise = (text: string) => Array.from(text)

const read = (...parts: string[]) => push(new HttpHeadParser(LIMIT_BYTES), ...parts)

function status(...parts: string[]): number | string {
  const progress = read(...parts)
  return progress.state === 'refused' ? progress.status : progress.state
}

describe('a complete head', () => {
  test('is read in one piece, and what follows it is kept unparsed', () => {
    const reader = new HttpHeadParser(LIMIT_BYTES)
    const progress = push(reader, `${SOCKET_IO_HEAD}\0\x01body\n`)
    expect(progress).toMatchObject({
      state: 'complete',
      head: { method: 'GET', path: '/socket.io/', version: '1.1', headBytes: SOCKET_IO_HEAD.length },
    })
    expect(reader.bytes.toString('latin1')).toBe(`${SOCKET_IO_HEAD}\0\x01body\n`)
  })

  test('is the same however it is cut in two', () => {
    const whole = read(SOCKET_IO_HEAD)
    for (let at = 1; at < SOCKET_IO_HEAD.length; at += 1) {
      expect(read(SOCKET_IO_HEAD.slice(0, at), SOCKET_IO_HEAD.slice(at)), `cut at ${at}`).toEqual(whole)
    }
  })

  test('is the same byte by byte, and partial until its last byte', () => {
    const reader = new HttpHeadParser(LIMIT_BYTES)
    for (const byte of SOCKET_IO_HEAD.slice(0, -1)) expect(push(reader, byte)).toEqual({ state: 'partial' })
    expect(push(reader, '\n')).toEqual(read(SOCKET_IO_HEAD))
    expect(reader.bytes.toString('latin1')).toBe(SOCKET_IO_HEAD)
  })

  test.each([
    ['/a?b=1&sid=x', '/a', 'x'],
    ['/a?%73id=x', '/a', 'x'],
    ['/a?sid=x&sid=y', '/a', 'y'],
    ['/a#?sid=x', '/a', undefined],
    ['/a?b=1#sid=x', '/a', undefined],
    ['http://host:1/a?sid=x', '/a', 'x'],
    ['http://host?sid=x', '', 'x'],
    ['*', '*', undefined],
    ['//host/a', '//host/a', undefined],
  ])('with the target %s', (target, path, sid) => {
    const progress = read(`GET ${target} HTTP/1.0\r\n\r\n`)
    if (progress.state !== 'complete') throw new Error(progress.state)
    expect(progress.head).toMatchObject({ target, path, version: '1.0' })
    expect(progress.head.query.getAll('sid').at(-1)).toBe(sid)
  })
})

describe('a refused head', () => {
  test.each([
    ['a TLS client hello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ['PROXY protocol 1', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'],
    ['PROXY protocol 2', '\r\n\r\n\0\r\nQUIT\n'],
    ['an empty first line', '\r\nGET / HTTP/1.1\r\n\r\n'],
    ['two spaces', 'GET  / HTTP/1.1\r\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n'],
    ['no version', 'GET /\r\n'],
    ['another version', 'GET / HTTP/2.0\r\n'],
    ['a version and more', 'GET / HTTP/1.11\r\n'],
    ['a space at the end', 'GET / HTTP/1.1 \r\n'],
    ['no method', ' / HTTP/1.1\r\n'],
    ['a method that is no token', 'G(T / HTTP/1.1\r\n'],
    ['raw UTF-8 in the target', 'GET /\xc3\xa9 HTTP/1.1\r\n'],
    ['bare LF', 'GET / HTTP/1.1\n'],
    ['bare LF in a header', 'GET / HTTP/1.1\r\nA: b\nC: d\r\n'],
    ['bare CR', 'GET / HTTP/1.1\r\nA: b\rc\r\n'],
    ['CR CR LF', 'GET / HTTP/1.1\r\nA: b\r\r\n'],
    ['NUL', 'GET / HTTP/1.1\r\nA: \0\r\n'],
    ['DEL', 'GET / HTTP/1.1\r\nA: \x7f\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n'],
    ['a header without a name', 'GET / HTTP/1.1\r\n: b\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nA\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nA : b\r\n\r\n'],
  ])('400: %s', (_, text) => {
    expect(status(text)).toBe(400)
    expect(status(...bytewise(text))).toBe(400)
  })

  test('414: a request line without an end, also when it comes in pieces', () => {
    expect(status(`GET /${'a'.repeat(LIMIT_BYTES)}`)).toBe(414)
    expect(status(...bytewise(`GET /${'a'.repeat(LIMIT_BYTES)}`))).toBe(414)
  })

  test('431: headers without an end, and a complete head past the limit', () => {
    const headers = `GET / HTTP/1.1\r\nA: ${'b'.repeat(LIMIT_BYTES)}`
    expect(status(headers)).toBe(431)
    expect(status(...bytewise(headers))).toBe(431)
    expect(status(`${headers}\r\n\r\n`)).toBe(431)
    expect(status(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(300)}\r\n`)).toBe(431)
  })

  test('is not refused a byte too early', () => {
    const fits = LIMIT_BYTES - head(0).length
    expect(status(head(fits))).toBe('complete')
    expect(status(head(fits + 1))).toBe(431)
    expect(status(...bytewise(head(fits)))).toBe('complete')
    expect(status(...bytewise(head(fits + 1)))).toBe(431)
    expect(status(`${head(fits)}${'body'.repeat(5_000)}`)).toBe('complete')
  })
})

test('any bytes, in any pieces, lead to one of the documented results', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1')),
    fc
      .tuple(fc.nat(SOCKET_IO_HEAD.length - 1), fc.nat(255))
      .map(
        ([at, byte]) =>
          SOCKET_IO_HEAD.slice(0, at) + String.fromCharCode(byte) + SOCKET_IO_HEAD.slice(at + 1),
      ),
  )
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 40 }), (text, size) => {
      const reader = new HttpHeadParser(200)
      for (let at = 0; at < text.length; at += size) {
        const progress = push(reader, text.slice(at, at + size))
        if (progress.state === 'refused') expect([400, 414, 431]).toContain(progress.status)
        if (progress.state !== 'partial') return
      }
      expect(text.length).toBeLessThanOrEqual(200)
    }),
    { numRuns: 2_000 },
  )
})
