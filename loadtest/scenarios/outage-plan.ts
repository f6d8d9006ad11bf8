/** A plan that kills something under load, such as a host or Redis, and starts it again. */
import type { FaultKind, RunPlan, Step } from '../model/plan.ts'
import type { ScenarioSettings } from '../model/scenario.ts'
import { atShareMs, loadedRoomsPlan } from './clients.ts'

interface Outage {
  kill: FaultKind
  start: FaultKind
  /** As shares of the duration. */
  from: number
  to: number
  which: (settings: ScenarioSettings) => number
}

export function outagePlan(settings: ScenarioSettings, { kill, start, from, to, which }: Outage): RunPlan {
  const fault = (name: FaultKind, share: number): Step => ({
    do: 'fault',
    atMs: atShareMs(settings, share),
    fault: name,
    which: which(settings),
  })
  return loadedRoomsPlan(settings, [fault(kill, from), fault(start, to)])
}
