/**
 * Packets that the raw client sends and understands, with literal texts; and its delays, cookies and read
 * limiter.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { reconnectDelayMs } from '../../loadtest/connection/reconnect-delay.ts'
import {
  decodeMessage,
  encodeConnect,
  encodeDisconnect,
  encodeEvent,
  Handshake,
  splitPayload,
  takePayload,
} from '../../loadtest/connection/session/packets.ts'
import { Cookies } from '../../loadtest/connection/transport/cookies.ts'
import { ReadLimiter } from '../../loadtest/connection/transport/read-limiter.ts'

function source() {
  const state = { flows: true, pause: () => undefined, resume: () => undefined }
  return Object.assign(state, {
    pause: () => {
      state.flows = false
    },
    resume: () => {
      state.flows = true
    },
  })
}

describe('sent packets', () => {
  test('CONNECT carries the auth, and the namespace unless it is the main one', () => {
    expect(encodeConnect('/', { name: 'a' })).toBe('40{"name":"a"}')
    expect(encodeConnect('/admin', {})).toBe('40/admin,{}')
  })

  test('DISCONNECT', () => {
    expect(encodeDisconnect('/')).toBe('41')
    expect(encodeDisconnect('/admin')).toBe('41/admin,')
  })

  test('an event carries the reference of its ack', () => {
    expect(encodeEvent('/', 0, ['publish', { room: 'r' }])).toBe('420["publish",{"room":"r"}]')
    expect(encodeEvent('/admin', 12, ['x', undefined])).toBe('42/admin,12["x",null]')
  })
})

describe('received packets', () => {
  test.each([
    ['40{"sid":"abc"}', { type: 'connect', pid: undefined }],
    ['40{"sid":"abc","pid":"p"}', { type: 'connect', pid: 'p' }],
    ['41', { type: 'disconnect' }],
    ['42["message",{"id":"1"}]', { type: 'event', args: ['message', { id: '1' }] }],
    ['427["asks",1]', { type: 'event', args: ['asks', 1] }],
    ['430[{"ok":true}]', { type: 'ack', ref: 0, answer: { ok: true } }],
    ['43105[]', { type: 'ack', ref: 105, answer: undefined }],
    ['44{"message":"no"}', { type: 'refused', reason: 'no' }],
    ['44{"message":"no","data":{"code":"forbidden"}}', { type: 'refused', reason: 'forbidden' }],
    ['44{"message":"no","data":"text"}', { type: 'refused', reason: 'no' }],
    ['42/admin,["message",1]', { type: 'foreign' }],
  ])('%s is understood', (packet, meaning) => {
    expect(decodeMessage(packet, '/')).toEqual(meaning)
  })

  test.each([
    ['42/admin,3["x",1]', { type: 'event', args: ['x', 1] }],
    ['43/admin,3["x"]', { type: 'ack', ref: 3, answer: 'x' }],
    ['44/admin,{"message":"Invalid namespace"}', { type: 'refused', reason: 'Invalid namespace' }],
    ['41/admin,', { type: 'disconnect' }],
    ['42["x",1]', { type: 'foreign' }],
    ['42/administrators,["x",1]', { type: 'foreign' }],
  ])('in a namespace: %s', (packet, meaning) => {
    expect(decodeMessage(packet, '/admin')).toEqual(meaning)
  })

  test.each([
    '4',
    '40',
    '40{}',
    '42',
    '42{"no":"list"}',
    '42["cut',
    '43["x"]',
    '44"no"',
    '451-["x",{}]',
    '49',
  ])('%s is refused', (packet) => {
    expect(() => decodeMessage(packet, '/')).toThrow()
  })

  test('a handshake is understood, also without a largest payload size', () => {
    const text = '{"sid":"s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'
    expect(Handshake.parse(JSON.parse(text))).toMatchObject({
      sid: 's',
      maxPayload: Number.POSITIVE_INFINITY,
    })
  })
})

describe('payloads of polling', () => {
  test('are split at the separator', () => {
    expect(splitPayload('2\x1e42["a"]\x1e6')).toEqual(['2', '42["a"]', '6'])
  })

  test('hold as many packets as the server accepts, separators counted', () => {
    const queue = ['4aa', '4bb', '4cc']
    expect(takePayload(queue, 7)).toBe('4aa\x1e4bb')
    expect(queue).toEqual(['4cc'])
  })

  test('count bytes, not characters', () => {
    const queue = ['4ää', '4bb']
    expect(takePayload(queue, 8)).toBe('4ää')
    expect(takePayload(queue, 8)).toBe('4bb')
  })

  test('hold at least one packet, so that the server can refuse it', () => {
    const queue = ['4 too large', '4b']
    expect(takePayload(queue, 3)).toBe('4 too large')
    expect(queue).toEqual(['4b'])
  })
})

describe('delays before the next attempt', () => {
  test.each([
    [0, 500, 1_500],
    [1, 1_000, 3_000],
    [2, 2_000, 5_000],
    [3, 4_000, 5_000],
    [4, 5_000, 5_000],
    [2_000, 5_000, 5_000],
  ])('after %i failures: from %i to %i ms', (failures, leastMs, mostMs) => {
    expect(reconnectDelayMs(failures, 0)).toBe(leastMs)
    expect(reconnectDelayMs(failures, 1)).toBe(mostMs)
  })
})

describe('cookies', () => {
  test('are returned by name and value, the newest of each name', () => {
    const cookies = new Cookies()
    expect(cookies.headers()).toEqual({})
    cookies.take({ 'set-cookie': ['lb=one; Path=/; HttpOnly', 'io=a=b'] })
    cookies.take({ 'set-cookie': ['lb=two'] })
    cookies.take({})
    expect(cookies.headers()).toEqual({ cookie: 'lb=two; io=a=b' })
  })

  test('of a server that keeps setting new ones are limited', () => {
    const cookies = new Cookies()
    for (let i = 0; i < 100; i += 1) cookies.take({ 'set-cookie': [`name${i}=x`] })
    expect(cookies.headers().cookie?.split('; ')).toHaveLength(20)
  })
})

describe('the read limiter', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('`never` stops at once, permanently', () => {
    const from = source()
    new ReadLimiter('never', from).count(1)
    vi.advanceTimersByTime(1_000_000)
    expect(from.flows).toBe(false)
  })

  test('a rate stops for the time that the data read takes at that rate', () => {
    const from = source()
    const limiter = new ReadLimiter(1_000, from)
    limiter.count(2_000)
    vi.advanceTimersByTime(1_999)
    expect(from.flows).toBe(false)
    vi.advanceTimersByTime(1)
    expect(from.flows).toBe(true)
  })

  test('data that still arrives during a stop extends the stop', () => {
    const from = source()
    const limiter = new ReadLimiter(1_000, from)
    limiter.count(1_000)
    limiter.count(3_000)
    vi.advanceTimersByTime(3_999)
    expect(from.flows).toBe(false)
    vi.advanceTimersByTime(1)
    expect(from.flows).toBe(true)
  })

  test('small amounts pass without a stop, and are remembered', () => {
    const from = source()
    const limiter = new ReadLimiter(1_000, from)
    for (let i = 0; i < 5; i += 1) limiter.count(10)
    expect(from.flows).toBe(true)
    limiter.count(10)
    expect(from.flows).toBe(false)
    vi.advanceTimersByTime(60)
    expect(from.flows).toBe(true)
  })
})
