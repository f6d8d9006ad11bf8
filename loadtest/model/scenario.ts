/** A scenario: what it does to a server, and what must hold. Pure: it makes plans and checks results. */
import type { ClientKind, Dialect, FaultKind, RunPlan, Transport } from './plan.ts'
import type { Check, RunResult } from './result.ts'
import type { TargetShape } from './target.ts'

export interface ScenarioSettings {
  clients: number
  ratePerSec: number
  durationSec: number
  /** Members per room, in scenarios with rooms of one size. */
  roomSize: number
  textLength: number
  transport: Transport
  arrivals: 'even' | 'poisson'
  /** Time at the start of each load in which its rate rises from 0. */
  rampSec: number
  seed: number
  shape: TargetShape
  dialect: Dialect
}

export interface Scenario {
  readonly name: string
  /** What it does, in one line. */
  readonly title: string
  /** What must hold, in one line. */
  readonly invariant: string
  readonly defaults: Omit<ScenarioSettings, 'seed' | 'shape' | 'dialect'> & { kind: ClientKind }
  readonly needs: readonly FaultKind[]
  /** Faults that are left out if the target does not support them. */
  readonly wants?: readonly FaultKind[]
  /** Fewest hosts. */
  readonly minHosts: number
  /** Fewest workers per host: 2 if a worker is killed. */
  readonly minWorkers: number
  /** Server settings, unless the command line sets them. */
  readonly env?: Readonly<Record<string, string>>
  /** It measures no times, so a late generator does not make it invalid. */
  readonly measuresNoTimes?: true
  /** Seeds that once found a defect. */
  readonly regressionSeeds?: readonly number[]
  /** The connecting phase is measured too. */
  readonly measuresConnecting?: true
  plan(settings: ScenarioSettings): RunPlan
  /** In addition to the audit's verdict and the validity of the run, which apply to all scenarios. */
  checks(result: Omit<RunResult, 'checks'>, settings: ScenarioSettings): readonly Check[]
}
