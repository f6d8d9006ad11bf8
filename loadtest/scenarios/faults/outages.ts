/** Something that all others depend on is killed under load, and starts again. */
import type { FaultKind, RunPlan, Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import {
  allBackAtEnd,
  allJoined,
  awayAtMost,
  messagesDelivered,
  noneDropped,
  someReconnected,
} from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

interface Outage {
  kill: FaultKind
  start: FaultKind
  /** As shares of the duration. */
  from: number
  to: number
  which: (settings: ScenarioSettings) => number
}

function planOf(settings: ScenarioSettings, { kill, start, from, to, which }: Outage): RunPlan {
  const fault = (name: FaultKind, share: number): Step => ({
    do: 'fault',
    atMs: atShareMs(settings, share),
    fault: name,
    which: which(settings),
  })
  return loadedRoomsPlan(settings, [fault(kill, from), fault(start, to)])
}

const lastHost = ({ shape }: ScenarioSettings): number => shape.hosts - 1

export const hostKill: Scenario = {
  name: 'host-kill',
  title: 'A host is killed with all its workers under load, and starts again after a third of the run',
  invariant:
    "No acked message is lost, other hosts' clients stay connected, and all clients are live at the end",
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['kill-host', 'start-host'],
  minHosts: 2,
  minWorkers: 1,
  plan: (settings) =>
    planOf(settings, { kill: 'kill-host', start: 'start-host', from: 0.2, to: 0.5, which: lastHost }),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result),
    awayAtMost(result, 0, [...Array(lastHost(settings)).keys()]),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}

export const redisRestart: Scenario = {
  name: 'redis-restart',
  title: 'Redis is killed under load, and starts again from its disk after a tenth of the run',
  invariant: 'Connections stay open, no acked message is lost, and delivery resumes by itself',
  defaults: { ...DEFAULTS, clients: 200, ratePerSec: 40, durationSec: 40 },
  needs: ['kill-redis', 'start-redis'],
  minHosts: 2,
  minWorkers: 1,
  plan: (settings) =>
    planOf(settings, { kill: 'kill-redis', start: 'start-redis', from: 0.3, to: 0.4, which: () => 0 }),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
