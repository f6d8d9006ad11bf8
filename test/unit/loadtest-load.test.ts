import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressClients, sourceAddress } from '../../loadtest/load/addresses.ts'
import { type Arrival, arrivalCount, arrivalsOf } from '../../loadtest/load/arrivals.ts'
import { distribute } from '../../loadtest/load/distribute.ts'
import { churnTimes, cutTimes, selectClients } from '../../loadtest/load/event-times.ts'
import { randomOf, shuffled } from '../../loadtest/load/random.ts'
import type { Load, WantedClient } from '../../loadtest/model/plan.ts'

const loadOf = (load: Partial<Load>): Load => ({
  durationMs: 2_000,
  ratePerSec: 100,
  arrivals: 'even',
  rampMs: 0,
  textLength: 64,
  ...load,
})
const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

const wanted = (index: number, more: Partial<WantedClient> = {}): WantedClient => ({
  index,
  host: 0,
  transport: 'websocket',
  rooms: [],
  connectAtMs: 0,
  reads: 'all',
  sends: true,
  ...more,
})

const draw = (seed: number, ...names: (string | number)[]) => {
  const random = randomOf(seed, ...names)
  return [random(), random(), random()]
}

const drawing = () => randomOf(1, 'selection')

function countBy(arrivals: readonly Arrival[]): number[] {
  const counts = new Map<number, number>()
  for (const { sender } of arrivals) counts.set(sender, (counts.get(sender) ?? 0) + 1)
  return [...counts.values()]
}

describe('the distribution of clients over processes', () => {
  test('10 clients over 3 processes are still 10', () => {
    expect(distribute(indexes(10), 3).map(({ length }) => length)).toEqual([4, 3, 3])
  })

  test('every client has one process, and process sizes differ by at most one', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 20 }), (count, hands) => {
        const dealt = distribute(indexes(count), hands)
        expect(dealt).toHaveLength(hands)
        expect(dealt.flat().toSorted((a, b) => a - b)).toEqual(indexes(count))
        const sizes = dealt.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the schedule of a load', () => {
  test('even: 100 per second for 2 s are 200, 10 ms apart, and each of 8 senders has 25', () => {
    const arrivals = [...arrivalsOf(loadOf({}), 8, 1)]
    expect(arrivals.map(({ atMs }) => atMs)).toEqual(indexes(200).map((number) => number * 10))
    expect(countBy(arrivals)).toEqual(Array(8).fill(25))
    expect(arrivals.every(({ pick }) => pick >= 0 && pick < 1)).toBe(true)
  })

  test('even: the arrivals of several processes sum to the rate, whatever the numbers', () => {
    const numbers = [
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer(),
    ] as const
    fc.assert(
      fc.property(...numbers, fc.integer({ min: 1, max: 8 }), (ratePerSec, senders, seed, processes) => {
        const load = loadOf({ ratePerSec, durationMs: 700 })
        // As the processes do it: each computes the whole schedule and sends its clients' part.
        const parts = distribute(indexes(senders), processes).map((own) =>
          [...arrivalsOf(load, senders, seed)].filter(({ sender }) => own.includes(sender)),
        )
        expect(Math.abs(parts.flat().length - ratePerSec * 0.7)).toBeLessThanOrEqual(0.5 + 1e-9)
        expect(parts.flat()).toHaveLength(arrivalCount(load))
        expect(new Set(parts.flat().map(({ atMs }) => atMs)).size).toBe(arrivalCount(load))
        const counts = countBy(parts.flat())
        expect(Math.max(0, ...counts) - Math.min(...counts, Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 50 },
    )
  })

  test('poisson: arrivals are independent and have the rate', () => {
    const load = loadOf({ arrivals: 'poisson', ratePerSec: 1_000, durationMs: 100_000 })
    const arrivals = [...arrivalsOf(load, 20, 5)]
    // 100,000 on average, with a standard deviation of 316.
    expect(Math.abs(arrivals.length - 100_000)).toBeLessThan(5 * 316)
    const times = arrivals.map(({ atMs }) => atMs)
    expect(times.every((atMs, place) => atMs >= (times[place - 1] ?? 0) && atMs < 100_000)).toBe(true)
    const gaps = times.map((atMs, place) => atMs - (times[place - 1] ?? 0))
    // Exponential distribution: a share of 1/e lies above the mean, and the deviation equals the mean.
    expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(Math.exp(-1), 1)
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - 1) ** 2, 0) / gaps.length)
    expect(deviation).toBeCloseTo(1, 1)
    // Each of 20 senders: 5,000 with a deviation of 69.
    for (const count of countBy(arrivals)) expect(Math.abs(count - 5_000)).toBeLessThan(5 * 69)
  })

  test.each(['even', 'poisson'] as const)('%s: the same seed gives the same schedule', (arrivals) => {
    const load = loadOf({ arrivals })
    expect([...arrivalsOf(load, 7, 42)]).toEqual([...arrivalsOf(load, 7, 42)])
    expect([...arrivalsOf(load, 7, 42)]).not.toEqual([...arrivalsOf(load, 7, 43)])
  })

  test('a ramp: of 100 per second, reached after 2 of 3 s, the three have 25, 75 and 100, rising evenly', () => {
    const times = [...arrivalsOf(loadOf({ durationMs: 3_000, rampMs: 2_000 }), 8, 1)].map(({ atMs }) => atMs)
    const within = (from: number, to: number) => times.filter((atMs) => atMs >= from && atMs < to).length
    expect([within(0, 1_000), within(1_000, 2_000), within(2_000, 3_000)]).toEqual([25, 75, 100])
    // After t seconds of the ramp, t² / 2 of the hundred of the two seconds have arrived.
    expect(times[4]).toBeCloseTo(400, 6)
    expect(times[16]).toBeCloseTo(800, 6)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test('a load shorter than its ramp never reaches the full rate: 100 per second after 4 s are 50 in the first two', () => {
    const arrivals = [...arrivalsOf(loadOf({ durationMs: 2_000, rampMs: 4_000 }), 8, 1)]
    expect(arrivals).toHaveLength(50)
    expect(Math.max(...arrivals.map(({ atMs }) => atMs))).toBeLessThan(2_000)
  })

  test('poisson: a ramp has the same number on average', () => {
    const load = loadOf({ arrivals: 'poisson', ratePerSec: 1_000, durationMs: 100_000, rampMs: 100_000 })
    const times = [...arrivalsOf(load, 20, 7)].map(({ atMs }) => atMs)
    // 50,000 with a deviation of 224; a quarter of them in the first half.
    expect(Math.abs(times.length - 50_000)).toBeLessThan(5 * 224)
    expect(times.filter((atMs) => atMs < 50_000).length / times.length).toBeCloseTo(0.25, 1)
    expect(Math.max(...times)).toBeLessThan(100_000)
  })

  test('without senders there are no arrivals', () => {
    expect([...arrivalsOf(loadOf({}), 0, 1)]).toEqual([])
  })
})

describe('randomness', () => {
  test('a stream depends on its seed and its names', () => {
    expect(draw(1, 'a', 2)).toEqual(draw(1, 'a', 2))
    const others = [draw(1, 'a', 3), draw(1, 'b', 2), draw(2, 'a', 2)]
    for (const other of others) expect(other).not.toEqual(draw(1, 'a', 2))
  })

  test('a shuffle keeps all items, and every order is equally likely', () => {
    const random = randomOf(3, 'orders')
    const counts = new Map<string, number>()
    for (let round = 0; round < 6_000; round += 1) {
      const order = shuffled(['a', 'b', 'c'], random).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect([...counts.keys()].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])
    // 1,000 each with a deviation of 29.
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(5 * 29)
  })
})

describe('event times', () => {
  const clients = indexes(10).map((index) => ({ index, host: index % 2 }))

  test('a selection is all clients, those of a host, or a share', () => {
    expect(selectClients('all', clients, drawing())).toEqual(indexes(10))
    expect(selectClients({ host: 1 }, clients, drawing())).toEqual([1, 3, 5, 7, 9])
    const drawn = selectClients({ share: 0.3 }, clients, drawing())
    expect(drawn).toHaveLength(3)
    expect(new Set(drawn).size).toBe(3)
    expect(selectClients({ share: 0.3 }, clients, drawing())).toEqual(drawn)
    expect(selectClients({ share: 1 }, clients, drawing())).toEqual(indexes(10))
  })

  test('cuts are spread over their time, or happen all at once', () => {
    const { at } = cutTimes(indexes(100), { at: 500, spreadMs: 1_000 }, randomOf(1, 'cut'))
    expect(at.every((moment) => moment >= 500 && moment < 1_500)).toBe(true)
    expect(new Set(at).size).toBe(100)
    expect(cutTimes([4, 5], { at: 500, spreadMs: 0 }, randomOf(1, 'cut'))).toEqual({
      clients: [4, 5],
      at: [500, 500],
    })
  })

  test('churn: the given number per second, in rotation', () => {
    const moments = churnTimes({ durationMs: 3_000, perSec: 5 }, indexes(10), 100, randomOf(1, 'churn'))
    expect(moments.at).toEqual(indexes(15).map((number) => 100 + number * 200))
    expect(moments.clients.slice(0, 10).toSorted((a, b) => a - b)).toEqual(indexes(10))
    expect(moments.clients.slice(10)).toEqual(moments.clients.slice(0, 5))
  })
})

describe('addresses', () => {
  test("a host's clients rotate through its addresses", () => {
    const clients = [0, 1, 2, 3, 4].map((index) => wanted(index, { host: index === 2 ? 1 : 0 }))
    const plans = addressClients(clients, [
      ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      ['http://127.0.0.1:3'],
    ])
    expect(plans.map(({ url }) => url.at(-1))).toEqual(['1', '2', '3', '1', '2'])
    expect(plans.every((plan) => !('host' in plan))).toBe(true)
    expect(() => addressClients([wanted(0, { host: 2 })], [['http://127.0.0.1:1']])).toThrow('has no address')
  })

  test('no source address has more connections than ports', () => {
    const plans = addressClients(
      indexes(40_000).map((index) => wanted(index, { transport: index < 20_000 ? 'websocket' : 'polling' })),
      [['http://127.0.0.1:1']],
    )
    const ports = new Map<string, number>()
    for (const { localAddress = 'any', transport } of plans)
      ports.set(localAddress, (ports.get(localAddress) ?? 0) + (transport === 'polling' ? 2 : 1))
    expect([...ports.values()].reduce((sum, count) => sum + count)).toBe(60_000)
    for (const count of ports.values()) expect(count).toBeLessThanOrEqual(20_000)
    for (const address of ports.keys()) expect(address).toMatch(/^any$|^127(\.\d{1,3}){3}$/)
  })

  test('outside of loopback the machine chooses', () => {
    const plans = addressClients(
      indexes(40_000).map((index) => wanted(index)),
      [['http://10.0.0.1:80']],
    )
    expect(plans.some(({ localAddress }) => localAddress !== undefined)).toBe(false)
  })

  test('source addresses are valid and distinct', () => {
    const addresses = indexes(1_000).map((number) => sourceAddress(number + 1) ?? '')
    expect(new Set(addresses).size).toBe(1_000)
    for (const address of addresses)
      for (const byte of address.split('.').slice(1)) expect(Number(byte)).toBeLessThan(255)
  })
})
