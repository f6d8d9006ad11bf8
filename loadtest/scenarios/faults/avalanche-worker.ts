import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { awayAtMost, everyoneBack, everyoneIn, somebodyCameBack, somethingHeard } from '../checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from '../clients.ts'

/** A worker may have so many times its even share of the clients. */
const LARGEST_SHARE = 1.5

export const avalancheWorker: Scenario = {
  name: 'avalanche-worker',
  title: 'One worker of many clients is killed under load, and all of them come back at once',
  invariant:
    'Everybody is back at the end and is shown what was said meanwhile; clients of other workers stay',
  defaults: { ...USUAL, clients: 600, ratePerSec: 60, durationSec: 20 },
  needs: ['kill-worker'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      { do: 'fault', atMs: momentMs(settings, 0.3), fault: 'kill-worker', which: 0 },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    everyoneIn(result),
    somebodyCameBack(result),
    awayAtMost(result, mostOfOneWorker(settings)),
    everyoneBack(result),
    somethingHeard(result),
  ],
}

function mostOfOneWorker({ clients, shape }: ScenarioSettings): number {
  const share = clients / (shape.hosts * shape.workersPerHost)
  return Math.min(clients - 1, Math.ceil(share * LARGEST_SHARE))
}
