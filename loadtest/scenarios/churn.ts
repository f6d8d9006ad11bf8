import type { Scenario } from '../scenario.ts'
import { everyoneBack, everyoneIn, nobodyDropped, somebodyCameBack, somethingHeard } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from './crowd.ts'

/** Of all clients, so many leave and come back a second. */
const SHARE_PER_SEC = 0.05

export const churn: Scenario = {
  name: 'churn',
  title: 'Under load, 5 % of the clients a second leave and come back',
  invariant:
    'Who leaves comes back, nobody else is dropped, and members are shown what is said while they are there',
  defaults: { ...USUAL, clients: 300, ratePerSec: 60, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      {
        do: 'churn',
        atMs: 0,
        churn: { durationMs: momentMs(settings, 1), perSec: Math.max(1, settings.clients * SHARE_PER_SEC) },
      },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result) => [
    everyoneIn(result),
    nobodyDropped(result),
    somebodyCameBack(result),
    everyoneBack(result),
    somethingHeard(result),
  ],
}
