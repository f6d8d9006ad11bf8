/** What is said of a run before any figure: passed, failed or invalid, and why. Pure. */
import type { RunResult, Verdict } from '../model/result.ts'
import { countOf, whole } from './format.ts'

export type Standing = 'passed' | 'failed' | 'invalid'

export interface Outcome {
  /** `invalid` goes first: the figures of such a run are not to be used, whatever its auditor found. */
  standing: Standing
  /** Ended before its time, by a person: it stands for what was run. */
  interrupted: boolean
  reasons: string[]
}

/** For a headline. */
export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  passed: 'PASSED',
  failed: 'FAILED',
  invalid: 'INVALID',
}

export function outcomeOf(result: RunResult): Outcome {
  const failures = [...auditFailures(result.verdict), ...checkFailures(result)]
  const { interrupted } = result
  if (!result.valid) {
    const why = result.invalid.length === 0 ? ['the run does not say why'] : result.invalid
    return { standing: 'invalid', interrupted, reasons: [...why, ...failures] }
  }
  return { standing: failures.length === 0 ? 'passed' : 'failed', interrupted, reasons: failures }
}

/** The word, with what a reader must know at once. */
export function headline(outcome: Outcome): string {
  const word = STANDING_WORDS[outcome.standing]
  return outcome.interrupted ? `${word} (interrupted)` : word
}

function auditFailures(verdict: Verdict): string[] {
  if (verdict.ok) return []
  const { lost, lostWhileAway, doubled, outOfOrder, phantom, overflowed } = verdict
  const away = lostWhileAway === 0 ? '' : `, ${whole(lostWhileAway)} of them while their member was away`
  const found = [
    lost === 0 ? '' : `${countOf(lost, 'delivery', 'deliveries')} lost${away}`,
    doubled === 0 ? '' : `${countOf(doubled, 'delivery', 'deliveries')} shown more than once`,
    outOfOrder === 0 ? '' : `${countOf(outOfOrder, 'delivery', 'deliveries')} out of order`,
    phantom === 0 ? '' : `${countOf(phantom, 'message')} that nobody sent`,
    overflowed ? 'the delivery records overflowed: not every message was written down' : '',
  ].filter((line) => line !== '')
  return found.length === 0 ? ['the auditor says no, and gives no number'] : found
}

function checkFailures(result: RunResult): string[] {
  return result.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
}

/** The worst of several: what a tour says as a whole. */
export function worst(outcomes: readonly Outcome[]): Standing {
  if (outcomes.some(({ standing }) => standing === 'failed')) return 'failed'
  return outcomes.some(({ standing }) => standing === 'invalid') ? 'invalid' : 'passed'
}
