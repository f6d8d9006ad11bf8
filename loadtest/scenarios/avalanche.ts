import type { Scenario } from '../scenario.ts'
import { everyoneBack, everyoneIn, somebodyCameBack, somethingHeard } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from './crowd.ts'

/** Time that the server has to notice nothing, or all. */
const OFFLINE_MS = 500

export const avalanche: Scenario = {
  name: 'avalanche',
  title: 'All connections of one host end at once under load, and all its clients come back at once',
  invariant: 'Everybody is back at the end, and is shown what was said meanwhile',
  defaults: { ...USUAL, clients: 600, ratePerSec: 60, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      {
        do: 'cut',
        atMs: momentMs(settings, 0.3),
        cut: { whom: { host: 0 }, offlineMs: OFFLINE_MS, spreadMs: 0 },
      },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    everyoneIn(result),
    somebodyCameBack(result, Math.ceil(settings.clients / settings.shape.hosts)),
    everyoneBack(result),
    somethingHeard(result),
  ],
}
