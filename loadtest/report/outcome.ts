/** The outcome of a run: passed, failed or invalid, and why. Pure. */

import { countOf } from '../../src/core/count-of.ts'
import type { RunResult, Verdict } from '../model/result.ts'
import { whole } from './format.ts'

export type RunStatus = 'passed' | 'failed' | 'invalid'

export interface Outcome {
  /** `invalid` has precedence: the figures of such a run must not be used, whatever the audit found. */
  status: RunStatus
  /** Ended early by the user: it covers the time until then. */
  interrupted: boolean
  reasons: string[]
}

/** For a headline. */
export const RUN_STATUS_WORDS: Readonly<Record<RunStatus, string>> = {
  passed: 'PASSED',
  failed: 'FAILED',
  invalid: 'INVALID',
}

export function outcomeOf(result: RunResult): Outcome {
  const failures = [...auditFailures(result.verdict), ...checkFailures(result)]
  const { interrupted } = result
  if (!result.valid) {
    const why = result.invalid.length === 0 ? ['the run gives no reason'] : result.invalid
    return { status: 'invalid', interrupted, reasons: [...why, ...failures] }
  }
  return { status: failures.length === 0 ? 'passed' : 'failed', interrupted, reasons: failures }
}

/** The word, with a note if the run was interrupted. */
export function headline(outcome: Outcome): string {
  const word = RUN_STATUS_WORDS[outcome.status]
  return outcome.interrupted ? `${word} (interrupted)` : word
}

function auditFailures(verdict: Verdict): string[] {
  if (verdict.ok) return []
  const { lost, lostWhileAway, doubled, outOfOrder, phantom, overflowed } = verdict
  const away = lostWhileAway === 0 ? '' : `, ${whole(lostWhileAway)} of them while the member was away`
  const found = [
    lost === 0 ? '' : `${countOf(lost, 'delivery', 'deliveries')} lost${away}`,
    doubled === 0 ? '' : countOf(doubled, 'duplicate delivery', 'duplicate deliveries'),
    outOfOrder === 0 ? '' : `${countOf(outOfOrder, 'delivery', 'deliveries')} out of order`,
    phantom === 0 ? '' : `${countOf(phantom, 'message')} that were never sent`,
    overflowed ? 'the delivery records overflowed: not every message was recorded' : '',
  ].filter((line) => line !== '')
  return found.length === 0 ? ['the audit failed without a count'] : found
}

function checkFailures(result: RunResult): string[] {
  return result.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
}

/** The worst of several: the outcome of a tour. */
export function worst(outcomes: readonly Outcome[]): RunStatus {
  if (outcomes.some(({ status }) => status === 'failed')) return 'failed'
  return outcomes.some(({ status }) => status === 'invalid') ? 'invalid' : 'passed'
}
