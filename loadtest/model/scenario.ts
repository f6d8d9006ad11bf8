/** A scenario: what it does to a server, and what must hold. Pure: it makes plans and judges results. */
import type { ClientKind, Dialect, FaultKind, RunPlan, Transport } from './plan.ts'
import type { Check, RunResult } from './result.ts'
import type { TargetShape } from './target.ts'

export interface ScenarioSettings {
  clients: number
  ratePerSec: number
  durationSec: number
  /** Members of a room, where the scenario has rooms of one size. */
  roomSize: number
  textLength: number
  transport: Transport
  arrivals: 'even' | 'poisson'
  /** At the beginning of each load, in which its rate rises from nothing. */
  rampSec: number
  seed: number
  shape: TargetShape
  dialect: Dialect
}

export interface Scenario {
  readonly name: string
  /** What it does, one line. */
  readonly title: string
  /** What must hold, one line: the words of its checks. */
  readonly invariant: string
  readonly defaults: Omit<ScenarioSettings, 'seed' | 'shape' | 'dialect'> & { kind: ClientKind }
  readonly needs: readonly FaultKind[]
  /** Those of its plan that are left out where the target can't have them. */
  readonly wants?: readonly FaultKind[]
  /** Hosts without which it makes no sense. */
  readonly minHosts: number
  /** Least members of a worker's host: 2 where a worker is killed. */
  readonly minWorkers: number
  /** Of the servers, unless the command line says otherwise. */
  readonly env?: Readonly<Record<string, string>>
  /** What it shows is no figure of time: a generator that is late does not make it invalid. */
  readonly measuresNoTimes?: true
  /** Seeds that found a defect once. */
  readonly regressionSeeds?: readonly number[]
  /** Its figures are those of the connecting too. */
  readonly measuresConnecting?: true
  plan(settings: ScenarioSettings): RunPlan
  /** Beside the verdict of the auditor and the validity of the run, which hold for all scenarios. */
  checks(result: Omit<RunResult, 'checks'>, settings: ScenarioSettings): readonly Check[]
}
