/** Many clients go and come back at once, or some all the time. */
import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { everyoneBack, everyoneIn, nobodyDropped, somebodyCameBack, somethingHeard } from '../checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, momentMs, roomOfSize, USUAL } from '../clients.ts'

/** Time that the server has to notice nothing, or all. */
const OFFLINE_MS = 500
/** Of all clients, so many leave and come back a second. */
const SHARE_PER_SEC = 0.05

const COMMON = {
  needs: [],
  minHosts: 1,
  minWorkers: 1,
} as const satisfies Partial<Scenario>

const planOf = (settings: ScenarioSettings, goings: Step): ReturnType<Scenario['plan']> => ({
  clients: crowd(settings, roomOfSize(settings.roomSize)),
  steps: [loadStep(settings), goings],
  settleMs: LONG_SETTLE_MS,
})

/** All along. @param sharePerSec of all clients */
export const churnStep = (settings: ScenarioSettings, sharePerSec: number): Step => ({
  do: 'churn',
  atMs: 0,
  churn: { durationMs: momentMs(settings, 1), perSec: Math.max(1, settings.clients * sharePerSec) },
})

export const avalanche: Scenario = {
  ...COMMON,
  name: 'avalanche',
  title: 'All connections of one host end at once under load, and all its clients come back at once',
  invariant: 'Everybody is back at the end, and is shown what was said meanwhile',
  defaults: { ...USUAL, clients: 600, ratePerSec: 60, durationSec: 20 },
  plan: (settings) =>
    planOf(settings, {
      do: 'cut',
      atMs: momentMs(settings, 0.3),
      cut: { whom: { host: 0 }, offlineMs: OFFLINE_MS, spreadMs: 0 },
    }),
  checks: (result, settings) => [
    everyoneIn(result),
    somebodyCameBack(result, Math.ceil(settings.clients / settings.shape.hosts)),
    everyoneBack(result),
    somethingHeard(result),
  ],
}

export const churn: Scenario = {
  ...COMMON,
  name: 'churn',
  title: 'Under load, 5 % of the clients a second leave and come back',
  invariant:
    'Who leaves comes back, nobody else is dropped, and members are shown what is said while they are there',
  defaults: { ...USUAL, clients: 300, ratePerSec: 60, durationSec: 20 },
  plan: (settings) => planOf(settings, churnStep(settings, SHARE_PER_SEC)),
  checks: (result) => [
    everyoneIn(result),
    nobodyDropped(result),
    somebodyCameBack(result),
    everyoneBack(result),
    somethingHeard(result),
  ],
}
