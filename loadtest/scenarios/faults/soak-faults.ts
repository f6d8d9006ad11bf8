/** The faults of a soak: at a moderate pace, and so that what leaks has somewhere to gather. Pure. */
import type { Step } from '../../model/plan.ts'
import type { ScenarioSettings } from '../../model/scenario.ts'
import {
  HOST_FAULTS,
  PRIMARY_ENDING_FAULTS,
  PROCESS_REPLACING_FAULTS,
  REDIS_FAULTS,
  randomFaultSteps,
} from './random-faults.ts'

/** From one to the next: most find everybody served again. */
const GAP_MS = [5_000, 25_000] as const
/** At the end there is load alone. */
const CALM_MS = 15_000
/** Of the duration; a short one has a calm end all the same. */
const MOST_CALM = 0.25

export const SOAK_FAULTS = [...HOST_FAULTS, ...REDIS_FAULTS]

/**
 * The first host's primary lives all along. Other processes are killed and reloaded in the first half alone: in the second, workers and
 * the other primaries live long enough for what they leak to be seen.
 */
export function soakFaults({ seed, shape, durationSec }: ScenarioSettings): Step[] {
  const wholeMs = durationSec * 1_000
  const halfMs = (wholeMs - Math.min(CALM_MS, wholeMs * MOST_CALM)) / 2
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
