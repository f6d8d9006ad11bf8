/** The result of a search for the limit: its steps, and the run that represents it. Pure. */
import type { RunResult } from '../../model/result.ts'
import { highestHeld } from './next-rate.ts'

type Step = NonNullable<RunResult['steps']>[number]

/** A run that was completed. */
export interface SearchStep {
  step: Step
  result: RunResult
}

/** Held: everything delivered in time, and the run valid. */
export function stepOf(result: RunResult, ratePerSec: number, p99Ms: number): Step {
  const { delivery } = result.latency
  const durationSec = Number(result.arguments['duration'])
  const isWell = result.valid && result.verdict.ok && result.checks.every(({ ok }) => ok)
  return {
    ratePerSec,
    deliveredPerSec: result.verdict.delivered / durationSec,
    deliveryP99Ms: delivery.p99Ms,
    cpuUsPerMessage: result.server?.cpuUsPerMessage ?? null,
    held: isWell && delivery.count > 0 && delivery.p99Ms <= p99Ms,
  }
}

export function lineOf({ ratePerSec, deliveryP99Ms, held }: Step): string {
  return `${ratePerSec}/s ${held ? 'held' : 'did not hold'}, delivery p99 ${deliveryP99Ms.toFixed(1)} ms`
}

export interface Search {
  runs: readonly SearchStep[]
  p99Ms: number
  /** Ended by the user. */
  interrupted: boolean
  /** The run that was interrupted; its rate is not judged. */
  cutShort: RunResult | undefined
}

/**
 * @returns the run with the highest rate that held, or the last if none did; without a complete run, the
 *   interrupted one
 */
export function limitResult({ runs, p99Ms, interrupted, cutShort }: Search): RunResult {
  const steps = runs.map(({ step }) => step)
  const best = highestHeld(steps)
  const shown = runs.findLast(({ step }) => step.held && step.ratePerSec === best) ?? runs.at(-1)
  const result = shown?.result ?? cutShort
  if (result === undefined) throw new Error('no run was completed')
  const generators = boundsOf(runs, best, result)
  const limit = {
    name: `a rate holds with delivery p99 under ${p99Ms} ms`,
    ok: best > 0,
    detail: `${best}/s`,
  }
  return {
    ...result,
    arguments: {
      ...result.arguments,
      rate: steps[0]?.ratePerSec ?? result.arguments['rate'] ?? 0,
      findLimit: true,
      p99: p99Ms,
    },
    steps,
    invalid: [...new Set([...result.invalid, ...generators])],
    valid: result.valid && generators.length === 0,
    interrupted,
    // An interrupted search may not have reached a rate that holds.
    checks: interrupted && best === 0 ? [] : [...result.checks, limit],
  }
}

const byRate = (a: SearchStep, b: SearchStep): number => a.step.ratePerSec - b.step.ratePerSec

/** The run just above the limit must have been limited by the server, not the generator. */
function boundsOf(runs: readonly SearchStep[], best: number, shown: RunResult): string[] {
  const above = runs.filter(({ step }) => step.ratePerSec > best).toSorted(byRate)[0]?.result
  const reasons = above === undefined || above === shown ? [] : above.invalid
  return reasons.map((why) => `beyond ${best}/s: ${why}`)
}
