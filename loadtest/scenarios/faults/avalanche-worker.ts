import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, awayAtMost, messagesDelivered, someReconnected } from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize } from '../clients.ts'

/** A worker may have so many times its even share of the clients. */
const LARGEST_SHARE = 1.5

export const avalancheWorker: Scenario = {
  name: 'avalanche-worker',
  title: 'One worker of many clients is killed under load, and all of them come back at once',
  invariant:
    'Everybody is back at the end and is shown what was said meanwhile; clients of other workers stay',
  defaults: { ...DEFAULTS, clients: 600, ratePerSec: 60, durationSec: 20 },
  needs: ['kill-worker'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      { do: 'fault', atMs: atShareMs(settings, 0.3), fault: 'kill-worker', which: 0 },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result),
    awayAtMost(result, mostOfOneWorker(settings)),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}

function mostOfOneWorker({ clients, shape }: ScenarioSettings): number {
  const share = clients / (shape.hosts * shape.workersPerHost)
  return Math.min(clients - 1, Math.ceil(share * LARGEST_SHARE))
}
