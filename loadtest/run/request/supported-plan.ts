/** A scenario's plan for one target, without optional parts that the target does not support. Pure. */
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
    // Resources of servers that run elsewhere can't be counted.
    ...(baseline === undefined || probeDirectory === undefined ? {} : { baseline }),
  }
}
