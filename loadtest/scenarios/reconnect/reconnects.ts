/** Many clients go and come back at once, or some all the time. */
import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, noneDropped, someReconnected } from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize } from '../clients.ts'

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
  clients: planClients(settings, roomOfSize(settings.roomSize)),
  steps: [loadStep(settings), goings],
  settleMs: LONG_SETTLE_MS,
})

/** All along. @param sharePerSec of all clients */
export const churnStep = (settings: ScenarioSettings, sharePerSec: number): Step => ({
  do: 'churn',
  atMs: 0,
  churn: { durationMs: atShareMs(settings, 1), perSec: Math.max(1, settings.clients * sharePerSec) },
})

export const avalanche: Scenario = {
  ...COMMON,
  name: 'avalanche',
  title: 'All connections of one host end at once under load, and all its clients come back at once',
  invariant: 'Everybody is back at the end, and is shown what was said meanwhile',
  defaults: { ...DEFAULTS, clients: 600, ratePerSec: 60, durationSec: 20 },
  plan: (settings) =>
    planOf(settings, {
      do: 'cut',
      atMs: atShareMs(settings, 0.3),
      cut: { selection: { host: 0 }, offlineMs: OFFLINE_MS, spreadMs: 0 },
    }),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result, Math.ceil(settings.clients / settings.shape.hosts)),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}

export const churn: Scenario = {
  ...COMMON,
  name: 'churn',
  title: 'Under load, 5 % of the clients a second leave and come back',
  invariant:
    'Who leaves comes back, nobody else is dropped, and members are shown what is said while they are there',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 20 },
  plan: (settings) => planOf(settings, churnStep(settings, SHARE_PER_SEC)),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    someReconnected(result),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
