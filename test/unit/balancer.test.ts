import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Balancer } from '../../src/primary/front-door/balancer.ts'

const RESERVATION_MS = 1_000
const anywhere = () => true

function withWorkers(...names: string[]): Balancer {
  const balancer = new Balancer(RESERVATION_MS)
  for (const name of names) balancer.add(name, `tag-${name}`)
  return balancer
}

function handshake(balancer: Balancer, now = 0, hasRoom: (name: string) => boolean = anywhere): string {
  const name = balancer.forHandshake(hasRoom)
  if (name === undefined) throw new Error('nobody')
  balancer.assigned(name, 'handshake', now)
  return name
}

describe('handshakes', () => {
  test('of a burst are spread evenly to within one, before any worker has reported a session', () => {
    const balancer = withWorkers('w1', 'w2', 'w3', 'w4')
    for (let i = 0; i < 400; i += 1) handshake(balancer)
    expect(balancer.loads()).toEqual({ w1: 100, w2: 100, w3: 100, w4: 100 })
  })

  test('stay evenly spread however late and uneven the reports are', () => {
    const events = fc.array(fc.tuple(fc.boolean(), fc.nat(3)), { maxLength: 300 })
    fc.assert(
      fc.property(events, (steps) => {
        const names = ['w1', 'w2', 'w3', 'w4']
        const balancer = withWorkers(...names)
        const unreported = new Map(names.map((name) => [name, 0]))
        for (const [isReport, index] of steps) {
          const name = isReport ? (names[index] ?? 'w1') : handshake(balancer)
          const open = unreported.get(name) ?? 0
          if (!isReport) unreported.set(name, open + 1)
          else if (open > 0) {
            balancer.sessionOpened(name)
            unreported.set(name, open - 1)
          }
        }
        const loads = Object.values(balancer.loads())
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('that never become sessions are forgotten after one to two reservation times', () => {
    const balancer = withWorkers('w1')
    handshake(balancer, 2_000)
    balancer.age(2_900)
    expect(balancer.loads()).toEqual({ w1: 1 })
    balancer.age(3_100)
    expect(balancer.loads()).toEqual({ w1: 1 })
    balancer.age(4_200)
    expect(balancer.loads()).toEqual({ w1: 0 })
  })

  test('that become sessions are counted once, until the session ends', () => {
    const balancer = withWorkers('w1')
    for (let i = 0; i < 5; i += 1) handshake(balancer)
    for (let i = 0; i < 5; i += 1) balancer.sessionOpened('w1')
    expect(balancer.loads()).toEqual({ w1: 5 })
    balancer.age(10 * RESERVATION_MS)
    expect(balancer.loads()).toEqual({ w1: 5 })
    for (let i = 0; i < 9; i += 1) balancer.sessionClosed('w1')
    expect(balancer.loads()).toEqual({ w1: 0 })
  })

  test('prefer a new worker, but give it at most two in three while another has room', () => {
    const balancer = withWorkers('w1', 'w2', 'w3')
    for (let i = 0; i < 3_000; i += 1) handshake(balancer)
    balancer.remove('w3')
    balancer.add('w4', 'tag-w4')
    const names = Array.from({ length: 900 }, () => handshake(balancer))
    expect(names.filter((name) => name === 'w4')).toHaveLength(600)
    expect(names.join(' ')).not.toContain('w4 w4 w4')
    const alone = Array.from({ length: 5 }, () => handshake(balancer, 0, (name) => name === 'w4'))
    expect(alone).toEqual(['w4', 'w4', 'w4', 'w4', 'w4'])
  })

  test('go to no worker when none has room', () => {
    expect(withWorkers('w1').forHandshake(() => false)).toBeUndefined()
    expect(withWorkers().forHandshake(anywhere)).toBeUndefined()
  })
})

test('plain requests rotate over the workers, and skip full ones', () => {
  const balancer = withWorkers('w1', 'w2', 'w3')
  const next = (hasRoom: (name: string) => boolean = anywhere) => {
    const name = balancer.forPlain(hasRoom)
    if (name !== undefined) balancer.assigned(name, 'plain', 0)
    return name
  }
  expect([next(), next(), next(), next()]).toEqual(['w1', 'w2', 'w3', 'w1'])
  expect(next((name) => name !== 'w2')).toBe('w3')
  expect(next()).toBe('w1')
  expect(balancer.loads()).toEqual({ w1: 0, w2: 0, w3: 0 })
})

test('a draining worker keeps its sessions and gets nothing else', () => {
  const balancer = withWorkers('w1', 'w2')
  balancer.drain('w1')
  expect(balancer.owner('tag-w1')).toBe('w1')
  expect([handshake(balancer), handshake(balancer), balancer.forPlain(anywhere)]).toEqual(['w2', 'w2', 'w2'])
  balancer.drain('w2')
  expect([balancer.hasReady(), balancer.forPlain(anywhere)]).toEqual([false, undefined])
})

test('a removed worker owns nothing, and its late reports have no effect', () => {
  const balancer = withWorkers('w1')
  balancer.remove('w1')
  balancer.sessionOpened('w1')
  balancer.sessionClosed('w1')
  balancer.assigned('w1', 'handshake', 0)
  expect([balancer.owner('tag-w1'), balancer.loads(), balancer.hasReady()]).toEqual([undefined, {}, false])
})

test('the worker in a place is the newer one of two, and none that drains', () => {
  const balancer = new Balancer(RESERVATION_MS)
  balancer.add('w1', 'tag-w1', 0)
  balancer.add('w2', 'tag-w2', 1)
  balancer.add('w3', 'tag-w3', 0)
  expect([balancer.ofSlot(0), balancer.ofSlot(1), balancer.ofSlot(2)]).toEqual(['w3', 'w2', undefined])
  balancer.remove('w3')
  expect(balancer.ofSlot(0)).toBe('w1')
  balancer.drain('w1')
  expect(balancer.ofSlot(0)).toBeUndefined()
})
