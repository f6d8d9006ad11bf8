import type { Scenario } from '../scenario.ts'
import { everyoneBack, everyoneIn, nobodyDropped, somethingHeard } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from './crowd.ts'

export const redisRestart: Scenario = {
  name: 'redis-restart',
  title: 'Under load, Redis is killed and comes back a tenth of the run later with what it has on its disk',
  invariant: 'Connections stay, nothing that was acked is lost, and messages flow again by themselves',
  defaults: { ...USUAL, clients: 200, ratePerSec: 40, durationSec: 40 },
  needs: ['kill-redis', 'start-redis'],
  minHosts: 2,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      { do: 'fault', atMs: momentMs(settings, 0.3), fault: 'kill-redis', which: 0 },
      { do: 'fault', atMs: momentMs(settings, 0.4), fault: 'start-redis', which: 0 },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result) => [
    everyoneIn(result),
    nobodyDropped(result),
    everyoneBack(result),
    somethingHeard(result),
  ],
}
