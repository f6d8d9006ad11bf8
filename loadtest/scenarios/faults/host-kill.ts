import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, awayAtMost, messagesDelivered, someReconnected } from '../checks.ts'
import { DEFAULTS } from '../clients.ts'
import { outagePlan } from '../outage-plan.ts'

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
    outagePlan(settings, { kill: 'kill-host', start: 'start-host', from: 0.2, to: 0.5, which: lastHost }),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result),
    awayAtMost(result, 0, [...Array(lastHost(settings)).keys()]),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
