import { expect, test } from 'vitest'
import { framingOf } from '../../src/core/http-framing.ts'
import { HttpHeadParser } from '../../src/core/http-head-parser.ts'

function framing(line: string, headers: readonly string[]) {
  const progress = new HttpHeadParser(4_096).push(Buffer.from([line, ...headers, '', ''].join('\r\n')))
  if (progress.state !== 'complete') throw new Error(progress.state)
  return framingOf(progress.head)
}

test.each([
  ['none', [], 0],
  ['a length', ['Content-Length: 12'], 12],
  ['a length in any case, with spaces', ['CONTENT-length: \t 7 '], 7],
  ['two lengths', ['Content-Length: 5', 'Content-Length: 5'], undefined],
  ['a list of lengths', ['Content-Length: 5, 5'], undefined],
  ['a length that is no number', ['Content-Length: +5'], undefined],
  ['a length that is too long', ['Content-Length: 9999999999999999'], undefined],
  ['an empty length', ['Content-Length:'], undefined],
  ['chunks', ['Transfer-Encoding: chunked'], undefined],
  ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5'], undefined],
])('the body of a request with %s', (_, headers, bodyBytes) => {
  expect(framing('POST / HTTP/1.1', headers).bodyBytes).toBe(bodyBytes)
})

test.each([
  ['1.1', [], true],
  ['1.1', ['Connection: keep-alive'], true],
  ['1.1', ['Connection: Close'], false],
  ['1.1', ['Connection: keep-alive, close'], false],
  ['1.1', ['Connection: keep-alive', 'connection: foo,close'], false],
  ['1.0', [], false],
  ['1.0', ['Connection: Keep-Alive'], true],
])('HTTP/%s with %j: keeps the connection: %s', (version, headers, keepsAlive) => {
  expect(framing(`GET / HTTP/${version}`, headers).keepsAlive).toBe(keepsAlive)
})

test.each([
  ['GET / HTTP/1.1', [], false],
  ['GET / HTTP/1.1', ['Connection: Upgrade', 'Upgrade: websocket'], true],
  ['GET / HTTP/1.1', ['Upgrade: h2c'], true],
  ['GET / HTTP/1.1', ['Connection: keep-alive, upgrade'], true],
  ['CONNECT a:1 HTTP/1.1', [], true],
])('%s with %j: may leave HTTP: %s', (line, headers, isUpgrade) => {
  expect(framing(line, headers).isUpgrade).toBe(isUpgrade)
})
