/** The result of a search for the limit, also of an interrupted one. */
import { describe, expect, test } from 'vitest'
import { exitCodeOf } from '../../loadtest/cli/output.ts'
import type { RunResult } from '../../loadtest/model/result.ts'
import { EXIT_CODES } from '../../loadtest/run/exit-codes.ts'
import { limitResult, type Search, stepOf } from '../../loadtest/run/limit/limit-result.ts'
import { imaginedResult, summaryOf } from '../harness/loadtest/results.ts'

const P99_MS = 50

function passAt(ratePerSec: number, p99Ms: number, changes: Partial<RunResult> = {}): RunResult {
  const whole = imaginedResult({ seconds: 9 })
  const latency = { ...whole.latency, delivery: summaryOf([p99Ms]) }
  const args = { ...whole.arguments, rate: ratePerSec, duration: 5 }
  return { ...whole, latency, arguments: args, ...changes }
}

const runAt = (ratePerSec: number, p99Ms: number, changes: Partial<RunResult> = {}) => {
  const result = passAt(ratePerSec, p99Ms, changes)
  return { result, step: stepOf(result, ratePerSec, P99_MS) }
}

const searched = (changes: Partial<Search>): RunResult =>
  limitResult({ runs: [], p99Ms: P99_MS, interrupted: false, cutShort: undefined, ...changes })

const limitCheck = ({ checks }: RunResult) => checks.find(({ name }) => name.startsWith('a rate holds'))

describe('a step holds', () => {
  test('when all checks pass in time', () => {
    expect(runAt(100, 49).step).toMatchObject({ held: true, ratePerSec: 100 })
    expect(runAt(100, 51).step.held).toBe(false)
    expect(runAt(100, 1, { valid: false, invalid: ['busy'] }).step.held).toBe(false)
    const checks = [{ name: 'x', ok: false, detail: '' }]
    expect(runAt(100, 1, { checks }).step.held).toBe(false)
  })
})

describe('a search', () => {
  test('returns the highest rate that held, with all its steps', () => {
    const result = searched({
      runs: [runAt(100, 5), runAt(200, 60), runAt(141, 20), runAt(168, 90)],
    })
    expect(result.steps?.map(({ ratePerSec, held }) => [ratePerSec, held])).toEqual([
      [100, true],
      [200, false],
      [141, true],
      [168, false],
    ])
    expect(result.arguments).toMatchObject({ rate: 100, findLimit: true, p99: P99_MS })
    expect(result.latency.delivery.p99Ms).toBeCloseTo(20, 0)
    expect(limitCheck(result)).toMatchObject({ ok: true, detail: '141/s' })
    expect(exitCodeOf(result)).toBe(EXIT_CODES.passed.code)
  })

  test('fails when no rate holds', () => {
    const result = searched({ runs: [runAt(2, 60), runAt(1, 60)] })
    expect(limitCheck(result)).toMatchObject({ ok: false, detail: '0/s' })
    expect(exitCodeOf(result)).toBe(EXIT_CODES.failed.code)
  })

  test('is invalid where the generator is the upper limit', () => {
    const busy = runAt(200, 60, { valid: false, invalid: ['agent 0 was busy'] })
    expect(searched({ runs: [runAt(100, 5), busy] })).toMatchObject({
      valid: false,
      invalid: ['beyond 100/s: agent 0 was busy'],
    })
  })
})

describe('a search that a user interrupts', () => {
  const cutShort = passAt(200, 0, { interrupted: true, checks: [] })

  test('reports nothing about the current rate', () => {
    const result = searched({ runs: [runAt(100, 5)], interrupted: true, cutShort })
    expect(result.steps?.map(({ ratePerSec }) => ratePerSec)).toEqual([100])
    expect(limitCheck(result)).toMatchObject({ ok: true, detail: '100/s' })
    expect(exitCodeOf(result)).toBe(EXIT_CODES.interrupted.code)
  })

  test('within its first pass has only that pass, and judges no rate', () => {
    const result = searched({ interrupted: true, cutShort })
    expect(result).toMatchObject({ steps: [], interrupted: true, checks: [] })
    expect(result.arguments['rate']).toBe(200)
    expect(exitCodeOf(result)).toBe(EXIT_CODES.interrupted.code)
  })

  test('between two passes is interrupted too', () => {
    const result = searched({ runs: [runAt(100, 60)], interrupted: true })
    expect(result).toMatchObject({ interrupted: true, checks: [] })
    expect(exitCodeOf(result)).toBe(EXIT_CODES.interrupted.code)
  })
})
