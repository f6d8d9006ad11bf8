/** Something that all others need dies under load, and comes back. */
import type { FaultKind, Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import {
  allBackAtEnd,
  allJoined,
  awayAtMost,
  messagesDelivered,
  noneDropped,
  someReconnected,
} from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize } from '../clients.ts'

interface Outage {
  kill: FaultKind
  start: FaultKind
  /** As shares of the duration. */
  from: number
  to: number
  which: (settings: ScenarioSettings) => number
}

function planOf(
  settings: ScenarioSettings,
  { kill, start, from, to, which }: Outage,
): ReturnType<Scenario['plan']> {
  const fault = (name: FaultKind, share: number): Step => ({
    do: 'fault',
    atMs: atShareMs(settings, share),
    fault: name,
    which: which(settings),
  })
  return {
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), fault(kill, from), fault(start, to)],
    settleMs: LONG_SETTLE_MS,
  }
}

const lastHost = ({ shape }: ScenarioSettings): number => shape.hosts - 1

export const hostKill: Scenario = {
  name: 'host-kill',
  title: 'Under load, a host is killed with all its workers, and starts again a third of the run later',
  invariant: "Nothing that was acked is lost, other hosts' clients stay, and everybody is live at the end",
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
  title: 'Under load, Redis is killed and comes back a tenth of the run later with what it has on its disk',
  invariant: 'Connections stay, nothing that was acked is lost, and messages flow again by themselves',
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
