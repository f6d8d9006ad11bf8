import type { Scenario, ScenarioSettings } from '../scenario.ts'
import { droppedAtMost, everyoneBack, everyoneIn, somebodyCameBack, somethingHeard } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from './crowd.ts'

export const hostKill: Scenario = {
  name: 'host-kill',
  title: 'Under load, a host is killed with all its workers, and starts again a third of the run later',
  invariant: "Nothing that was acked is lost, other hosts' clients stay, and everybody is live at the end",
  defaults: { ...USUAL, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['kill-host', 'start-host'],
  minHosts: 2,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      loadStep(settings),
      { do: 'fault', atMs: momentMs(settings, 0.2), fault: 'kill-host', which: lastHost(settings) },
      { do: 'fault', atMs: momentMs(settings, 0.5), fault: 'start-host', which: lastHost(settings) },
    ],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    everyoneIn(result),
    somebodyCameBack(result),
    droppedAtMost(result, Math.ceil(settings.clients / settings.shape.hosts)),
    everyoneBack(result),
    somethingHeard(result),
  ],
}

const lastHost = ({ shape }: ScenarioSettings): number => shape.hosts - 1
