import { expect, test } from 'vitest'
import { DEFAULT_ENDPOINT, destinationOf, isServedBy } from '../../src/core/destination.ts'
import { HttpHeadParser } from '../../src/core/http-head-parser.ts'

const SID = 'abcdef12-AAAAAAAAAAAAAAAAAAAAAAAA'

test.each([
  [`/socket.io/?EIO=4&sid=${SID}`, 'session', 'abcdef12'],
  [`/anywhere?sid=${SID}`, 'session', 'abcdef12'],
  [`/socket.io/?EIO=4&sid=x&sid=${SID}`, 'session', 'abcdef12'],
  [`/socket.io/?EIO=4&sid=${SID}&sid=x`, 'plain', null],
  [`/socket.io/?EIO=4&transport=websocket&notsid=${SID}`, 'handshake', null],
  ['/socket.io/?EIO=4&transport=polling', 'handshake', null],
  ['/socket.io/more?EIO=4&transport=websocket', 'handshake', null],
  ['/socket.io/?EIO=3&EIO=4&transport=x&transport=polling', 'handshake', null],
  [`/sid=${SID}`, 'plain', null],
  ['/', 'plain', null],
])('%s', (target, kind, tag) => {
  const text = `GET ${target} HTTP/1.1\r\nCookie: sid=${SID}\r\nReferer: http://a/?EIO=4&sid=${SID}\r\n\r\n`
  const progress = new HttpHeadParser(4_096).push(Buffer.from(text))
  if (progress.state !== 'complete') throw new Error(progress.state)
  expect(destinationOf(progress.head, DEFAULT_ENDPOINT)).toEqual({ kind, tag })
})

test.each([
  'GET /nothing?EIO=4&transport=polling',
  'GET /nothing?next=/socket.io/&EIO=4&transport=polling',
  'GET /socket.io?EIO=4&transport=polling',
  'GET http://a/socket.io/?EIO=4&transport=polling',
  'GET /socket.io/?transport=polling',
  'GET /socket.io/?EIO=3&transport=polling',
  'GET /socket.io/?EIO=4&EIO=&transport=polling',
  'GET /socket.io/?EIO=4',
  'GET /socket.io/?EIO=4&transport=flash',
  'OPTIONS /socket.io/?EIO=4&transport=polling',
  'POST /socket.io/?EIO=4&transport=polling',
  'HEAD /socket.io/?EIO=4&transport=polling',
])('%s opens no session', (request) => {
  const progress = new HttpHeadParser(4_096).push(Buffer.from(`${request} HTTP/1.1\r\n\r\n`))
  if (progress.state !== 'complete') throw new Error(progress.state)
  expect(destinationOf(progress.head, DEFAULT_ENDPOINT)).toEqual({ kind: 'plain', tag: null })
})

test.each([
  [`/socket.io/?EIO=4&sid=${SID}`, true],
  ['/socket.io/?EIO=4&sid=abcdef13-AAAAAAAAAAAAAAAAAAAAAAAA', false],
  ['/socket.io/?EIO=4&transport=polling', false],
  ['/', true],
  ['/healthz', false],
  ['/readyz?a', false],
])('a worker serves the next request of a kept connection by itself: %s %s', (target, isServed) => {
  const progress = new HttpHeadParser(4_096).push(Buffer.from(`GET ${target} HTTP/1.1\r\n\r\n`))
  if (progress.state !== 'complete') throw new Error(progress.state)
  const own = { tag: 'abcdef12', endpoint: DEFAULT_ENDPOINT }
  expect(isServedBy(own, progress.head, false)).toBe(isServed)
  expect(isServedBy(own, progress.head, true)).toBe(isServed && target !== '/')
})

test.each([
  ['/live/?EIO=4&transport=polling', 'handshake'],
  ['/live/?EIO=3&transport=websocket', 'handshake'],
  ['/socket.io/?EIO=4&transport=polling', 'plain'],
  ['/live?EIO=4&transport=polling', 'plain'],
  [`/anywhere?sid=${SID}`, 'session'],
])('an application may have Socket.IO elsewhere: %s is a %s', (target, kind) => {
  const progress = new HttpHeadParser(4_096).push(Buffer.from(`GET ${target} HTTP/1.1\r\n\r\n`))
  if (progress.state !== 'complete') throw new Error(progress.state)
  const endpoint = { ...DEFAULT_ENDPOINT, path: '/live/', protocols: ['3', '4'] } as const
  expect(destinationOf(progress.head, endpoint).kind).toBe(kind)
})
