import { expect, test } from 'vitest'
import { softLimit } from '../../src/ops/descriptors.ts'
import { fitToDescriptors } from '../../src/primary/front-door/limits.ts'

const limits = { pendingHeads: 10_000, queueLength: 20_000, forwards: 0 }

test('connections held without a worker stay below the limit of file descriptors', () => {
  for (const descriptors of [64, 256, 1024, 4096, 20_000]) {
    for (const forwards of [0, 20_000]) {
      const fitting = fitToDescriptors({ ...limits, forwards }, descriptors)
      const { pendingHeads, queueLength } = fitting
      const held = 2 * pendingHeads + queueLength + 2 * fitting.forwards
      expect(held).toBeLessThanOrEqual(0.75 * descriptors)
      expect(Math.min(pendingHeads, queueLength)).toBeGreaterThan(0)
      expect(fitting.forwards > 0).toBe(forwards > 0)
    }
  }
})

test('limits that fit stay unchanged', () => {
  expect(fitToDescriptors(limits, 1_048_576)).toEqual(limits)
  expect(fitToDescriptors(limits, undefined)).toEqual(limits)
  expect(fitToDescriptors({ pendingHeads: 1, queueLength: 1, forwards: 1 }, 256)).toEqual({
    pendingHeads: 1,
    queueLength: 1,
    forwards: 1,
  })
})

const file = (soft: string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}                1048576              files\n`

test('the soft limit is read, and is undefined where there is none', () => {
  expect(softLimit(file('1024'))).toBe(1024)
  expect(softLimit(file('unlimited'))).toBeUndefined()
  expect(softLimit('')).toBeUndefined()
})
