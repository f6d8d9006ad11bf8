/** A scenario's plan for one target: without what it can do without and the target can't have. Pure. */
import type { RunPlan } from '../../model/plan.ts'
import type { RunningTarget } from '../../model/target.ts'
import type { RunRequest } from './request.ts'

export function supportedPlan(
  { scenario, settings }: Pick<RunRequest, 'scenario' | 'settings'>,
  { faults, probeDirectory }: Pick<RunningTarget, 'faults' | 'probeDirectory'>,
): RunPlan {
  const { baseline, ...plan } = scenario.plan(settings)
  const left = (scenario.wants ?? []).filter((fault) => faults[fault] === undefined)
  return {
    ...plan,
    steps: plan.steps.filter((step) => step.do !== 'fault' || !left.includes(step.fault)),
    // Nothing can be counted in servers that run elsewhere.
    ...(baseline === undefined || probeDirectory === undefined ? {} : { baseline }),
  }
}
