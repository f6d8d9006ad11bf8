/** The faults of a soak test, at a moderate pace. Pure. */
import type { Step } from '../model/plan.ts'
import type { ScenarioSettings } from '../model/scenario.ts'
import {
  HOST_FAULTS,
  PRIMARY_ENDING_FAULTS,
  PROCESS_REPLACING_FAULTS,
  REDIS_FAULTS,
  randomFaultSteps,
} from './random-faults.ts'

/** From one fault to the next: usually all clients are served again in between. */
const GAP_MS = [5_000, 25_000] as const
/** At the end there is only load. */
const QUIET_MS = 15_000
/** Limits the time without faults in a short run. */
const MAX_QUIET_SHARE = 0.25

export const SOAK_FAULTS = [...HOST_FAULTS, ...REDIS_FAULTS]

/**
 * The first host's primary is never ended. Processes are killed and reloaded in the first half only. In the
 * second half, workers and the other primaries live long enough for their leaks to show.
 */
export function soakFaults({ seed, shape, durationSec }: ScenarioSettings): Step[] {
  const wholeMs = durationSec * 1_000
  const halfMs = (wholeMs - Math.min(QUIET_MS, wholeMs * MAX_QUIET_SHARE)) / 2
  const faults =
    shape.hosts > 1 ? SOAK_FAULTS : HOST_FAULTS.filter(({ fault }) => !PRIMARY_ENDING_FAULTS.includes(fault))
  const common = {
    shape,
    withinMs: halfMs,
    rollingRestart: false,
    gapMs: GAP_MS,
    keepsFirstPrimary: true,
  } as const
  const lasting = faults.filter(({ fault }) => !PROCESS_REPLACING_FAULTS.includes(fault))
  const later = randomFaultSteps({ ...common, seed: seed + 1, faults: lasting })
  return [
    ...randomFaultSteps({ ...common, seed, faults }),
    ...later.map((step) => ({ ...step, atMs: step.atMs + Math.round(halfMs) })),
  ]
}
