/** Whatever can be killed, stopped, stalled or cut is, at random and again before it has recovered; nothing that was acked is lost. */
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
import { DRAIN_MS, faultsOf, HOST_FAULTS, REDIS_FAULTS, randomFaultSteps } from './random-faults.ts'

/** After the last fault: the load by which it is seen that everybody is served again. */
const AFTER_MS = 14_000
/** Of so many clients, one has no WebSocket. */
const POLLING_EVERY = 10
/** In which everybody must be. */
const REVIVAL_MS = 10_000

const COMMON = {
  minWorkers: 2,
  measuresNoTimes: true,
  // Hosts are stopped and started again several times in a minute.
  env: { DRAIN_MS: String(DRAIN_MS), STOP_DEADLINE_MS: String(DRAIN_MS + 5_000) },
  invariant:
    'Nothing acked is lost, doubled or out of order, and all are served within 10 s of the last fault’s end',
  checks,
} as const

const HAVOC_DEFAULTS = { ...DEFAULTS, roomSize: 5, durationSec: 60 } as const

export const havoc: Scenario = {
  ...COMMON,
  name: 'havoc',
  title: 'Under load, faults drawn from the seed hit workers, primary, host and clients of one host',
  defaults: { ...HAVOC_DEFAULTS, clients: 300, ratePerSec: 500 },
  needs: faultsOf(HOST_FAULTS),
  minHosts: 1,
  minWorkers: 3,
  regressionSeeds: [1, 6, 7, 8, 11, 17],
  plan: (settings) => planOf(settings, HOST_FAULTS),
}

export const havocHosts: Scenario = {
  ...COMMON,
  name: 'havoc-hosts',
  title: 'The same on hosts over Redis: also Redis itself and each host’s way to it are hit',
  defaults: { ...HAVOC_DEFAULTS, clients: 100, ratePerSec: 150 },
  needs: faultsOf([...HOST_FAULTS, ...REDIS_FAULTS]),
  minHosts: 2,
  regressionSeeds: [7, 8, 10, 12, 13, 14, 15],
  plan: (settings) => planOf(settings, [...HOST_FAULTS, ...REDIS_FAULTS]),
}

type Faults = Parameters<typeof randomFaultSteps>[0]['faults']

function planOf(settings: ScenarioSettings, faults: Faults): ReturnType<Scenario['plan']> {
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
    name: 'everybody sends and is shown messages again within 10 s of the last fault’s end',
    ok: count === clients && maxMs <= REVIVAL_MS,
    detail: `${count} of ${clients}, half of them after ${p50Ms.toFixed(0)} ms, the last after ${maxMs.toFixed(0)} ms (load of the machine before the run: ${machine.loadAverage.toFixed(1)})`,
  }
}
