/**
 * Random faults: everything is killed, stopped, stalled or cut, also during recovery. No acked message may be
 * lost.
 */
import type { Check } from '../../model/result.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import {
  allBackAtEnd,
  allJoined,
  messagesDelivered,
  someReconnected,
  type UncheckedResult,
} from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, load, planClients, roomOfSize } from '../clients.ts'
import { FAST_STOP_ENV, faultsOf, HOST_FAULTS, randomFaultSteps } from '../random-faults.ts'

/** Load after the last fault. It shows that every client is served again. */
const AFTER_MS = 14_000
/** One in this many clients uses long polling. */
const POLLING_EVERY = 10
/** Deadline for every client to be served again. */
const RECOVERY_MS = 10_000

export const HAVOC_COMMON = {
  minWorkers: 2,
  measuresNoTimes: true,
  env: FAST_STOP_ENV,
  invariant:
    'No acked message is lost, duplicated or out of order, and all clients are served within 10 s of the last fault’s end',
  checks,
} as const

export const HAVOC_DEFAULTS = { ...DEFAULTS, roomSize: 5, durationSec: 60 } as const

export const havoc: Scenario = {
  ...HAVOC_COMMON,
  name: 'havoc',
  title: 'Random faults, drawn from the seed, hit the workers, primary and clients of one host under load',
  defaults: { ...HAVOC_DEFAULTS, clients: 300, ratePerSec: 500 },
  needs: faultsOf(HOST_FAULTS),
  minHosts: 1,
  minWorkers: 3,
  regressionSeeds: [1, 6, 7, 8, 11, 17],
  plan: (settings) => havocPlan(settings, HOST_FAULTS),
}

type Faults = Parameters<typeof randomFaultSteps>[0]['faults']

export function havocPlan(settings: ScenarioSettings, faults: Faults): ReturnType<Scenario['plan']> {
  const { seed, shape, durationSec } = settings
  const wholeMs = durationSec * 1_000
  const afterMs = Math.min(AFTER_MS, wholeMs / 2)
  const withinMs = wholeMs - afterMs
  return {
    clients: planClients(settings, roomOfSize(settings.roomSize), (index) => ({
      transport: index % POLLING_EVERY === 1 ? 'polling' : settings.transport,
    })),
    steps: [
      { do: 'load', atMs: 0, load: load(settings, { durationMs: withinMs }) },
      ...randomFaultSteps({ seed, shape, faults, withinMs, rollingRestart: shape.hosts > 1 }),
    ],
    afterFaults: load(settings, { durationMs: afterMs }),
    settleMs: LONG_SETTLE_MS,
  }
}

function checks(result: UncheckedResult, { clients }: ScenarioSettings): Check[] {
  return [
    allJoined(result),
    someReconnected(result),
    allServedAgain(result, clients),
    allBackAtEnd(result),
    messagesDelivered(result),
  ]
}

function allServedAgain({ revival, machine }: UncheckedResult, clients: number): Check {
  const { count, maxMs, p50Ms } = revival ?? { count: 0, maxMs: 0, p50Ms: 0 }
  return {
    name: 'every client sends and receives again within 10 s of the last fault’s end',
    ok: count === clients && maxMs <= RECOVERY_MS,
    detail: `${count} of ${clients}, half of them after ${p50Ms.toFixed(0)} ms, the last after ${maxMs.toFixed(0)} ms (machine load before the run: ${machine.loadAverage.toFixed(1)})`,
  }
}
