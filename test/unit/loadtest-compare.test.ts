import { describe, expect, it } from 'vitest'
import type { RunResult } from '../../loadtest/model/result.ts'
import { compare, NotComparable } from '../../loadtest/report/compare/compare.ts'
import { chanceOf } from '../../loadtest/report/compare/sign-test.ts'
import { failedResult, imaginedResult, invalidResult } from '../harness/loadtest/results.ts'

const costing = (cpuUsPerDelivery: number, changes: Partial<RunResult> = {}): RunResult => {
  const { server, ...rest } = imaginedResult({ seconds: 10 })
  if (server === null) throw new Error('an imagined run knows its servers')
  return { ...rest, server: { ...server, cpuUsPerDelivery }, ...changes }
}

const cpuOf = (base: RunResult[], other: RunResult[]) => {
  const [side] = compare({
    sides: [
      { label: 'A', results: base },
      { label: 'B', results: other },
    ],
  })
  return { side, cpu: side?.figures.find(({ figure }) => figure.key === 'cpuPerDelivery') }
}

describe('a comparison', () => {
  it('takes the ratio pair by pair, so that a machine that slows down changes no ratio', () => {
    const base = [100, 200, 400, 100, 100].map((cost) => costing(cost))
    const other = [50, 100, 200, 40, 60].map((cost) => costing(cost))
    const { cpu } = cpuOf(base, other)
    expect(cpu?.ratios).toEqual([0.5, 0.5, 0.5, 0.4, 0.6])
    expect(cpu?.ratio).toEqual({ median: expect.closeTo(0.5), min: 0.4, max: 0.6 })
    expect(cpu).toMatchObject({ finding: 'beyond-noise', direction: 'better', base: 100, other: 60 })
    expect(cpu?.statement).toBe('lower in all 5 (by chance: 1 time in 16)')
  })

  it('treats differences in both directions as noise, and reports when there are too few pairs', () => {
    const { cpu } = cpuOf(
      [100, 100, 100, 100].map((cost) => costing(cost)),
      [90, 110, 95, 130].map((cost) => costing(cost)),
    )
    expect(cpu).toMatchObject({ finding: 'within-noise' })
    expect(cpuOf([costing(100)], [costing(10)]).cpu).toMatchObject({ finding: 'few', pairs: 1 })
    expect(cpuOf([costing(100)], [costing(100)]).cpu).toMatchObject({ finding: 'same' })
  })

  it('leaves out pairs with an invalid or interrupted run, and runs without a partner', () => {
    const { side, cpu } = cpuOf(
      [costing(100), costing(100), costing(100), costing(100)],
      [costing(50), invalidResult({ seconds: 10 }), costing(1, { interrupted: true })],
    )
    expect(cpu?.ratios).toEqual([0.5])
    expect(side?.notes).toEqual([
      expect.stringMatching(/^pair 2 is left out: B is invalid \(the generator was the bottleneck/),
      'pair 3 is left out: B was interrupted',
      '1 run without a matching run left out',
    ])
  })

  it.each([
    ['dialects', { dialect: 'chat' as const }],
    ['kinds of client', { kind: 'stock' as const }],
    ['numbers of clients', { clients: { asked: 9, joined: 9, perAgent: [9], away: [0] } }],
    ['scenarios', { scenario: { name: 'churn', title: '', invariant: '' } }],
  ])('refuses different %s', (what, changes) => {
    expect(() => cpuOf([costing(1)], [costing(1, changes)])).toThrow(NotComparable)
    expect(() => cpuOf([costing(1)], [costing(1, changes)])).toThrow(`different ${what}`)
  })

  it('reports arguments, seeds and machines that differ within pairs', () => {
    const changed = costing(1, { seed: 2, arguments: { ...costing(1).arguments, rate: 5, target: 'other' } })
    const { side } = cpuOf([costing(1)], [changed])
    expect(side?.notes).toEqual([
      'different within pairs: rate (200 and 5)',
      'different within pairs: seeds (1 and 2)',
    ])
  })

  it('has no ratio of losses: it counts the runs with losses', () => {
    const { side } = cpuOf([costing(1), costing(1)], [failedResult({ seconds: 10 }), costing(1)])
    const lost = side?.figures.find(({ figure }) => figure.key === 'lost')
    expect(lost).toMatchObject({ ratio: null, base: 0, other: 37, direction: 'worse' })
    expect(lost?.statement).toBe('in 1 of 2 runs, against 0')
  })
})

describe('the sign test', () => {
  it.each([
    [5, 0, 1 / 16],
    [4, 1, 12 / 32],
    [2, 2, 1],
    [0, 0, 1],
    [0, 8, 2 / 256],
  ])('of %i higher and %i lower matches the computed chance', (higher, lower, chance) => {
    expect(chanceOf({ higher, lower, equal: 3 })).toBeCloseTo(chance)
  })
})
