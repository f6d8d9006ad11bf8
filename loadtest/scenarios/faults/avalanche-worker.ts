import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, awayAtMost, messagesDelivered, someReconnected } from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

/** A worker may have this many times its even share of the clients. */
const MAX_SHARE = 1.5

export const avalancheWorker: Scenario = {
  name: 'avalanche-worker',
  title: 'A worker with many clients is killed under load, and all of them reconnect at once',
  invariant:
    'All clients are live at the end and get the messages that they missed; clients of other workers stay connected',
  defaults: { ...DEFAULTS, clients: 600, ratePerSec: 60, durationSec: 20 },
  needs: ['kill-worker'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) =>
    loadedRoomsPlan(settings, [
      { do: 'fault', atMs: atShareMs(settings, 0.3), fault: 'kill-worker', which: 0 },
    ]),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result),
    awayAtMost(result, maxOfOneWorker(settings)),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}

function maxOfOneWorker({ clients, shape }: ScenarioSettings): number {
  const share = clients / (shape.hosts * shape.workersPerHost)
  return Math.min(clients - 1, Math.ceil(share * MAX_SHARE))
}
