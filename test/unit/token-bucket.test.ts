import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenBucket } from '../../src/core/token-bucket.ts'

test('over any period, the bucket allows no more than the burst and the rate, and no less', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 60 }),
      (perSecond, burst, stepsMs) => {
        const bucket = new TokenBucket({ perSecond, burst, now: 0 })
        let now = 0
        let taken = 0
        for (const stepMs of stepsMs) {
          now += stepMs
          while (bucket.take(now)) taken += 1
          expect(taken).toBeLessThanOrEqual(burst + (now * perSecond) / 1000)
          const waitMs = bucket.waitMs(now)
          expect(waitMs).toBeGreaterThan(0)
          expect(waitMs).toBeLessThanOrEqual(Math.ceil(1000 / perSecond))
        }
        now += bucket.waitMs(now) + 1
        expect(bucket.take(now)).toBe(true)
      },
    ),
  )
})

test('a rate of 0 allows everything', () => {
  const bucket = new TokenBucket({ perSecond: 0, burst: 0, now: 0 })
  for (let i = 0; i < 1_000; i += 1) expect(bucket.take(0)).toBe(true)
  expect(bucket.waitMs(0)).toBe(0)
})

test('a clock that goes back grants nothing', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 1, now: 1_000 })
  expect(bucket.take(1_000)).toBe(true)
  expect(bucket.take(0)).toBe(false)
})
