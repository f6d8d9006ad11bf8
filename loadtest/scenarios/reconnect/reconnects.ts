/** Many clients disconnect and reconnect at once, or some all the time. */
import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, noneDropped, someReconnected } from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

const OFFLINE_MS = 500
/** Share of all clients that leaves and comes back per second. */
const SHARE_PER_SEC = 0.05

const COMMON = {
  needs: [],
  minHosts: 1,
  minWorkers: 1,
} as const satisfies Partial<Scenario>

/** For the whole duration. @param sharePerSec of all clients */
export const churnStep = (settings: ScenarioSettings, sharePerSec: number): Step => ({
  do: 'churn',
  atMs: 0,
  churn: { durationMs: atShareMs(settings, 1), perSec: Math.max(1, settings.clients * sharePerSec) },
})

export const avalanche: Scenario = {
  ...COMMON,
  name: 'avalanche',
  title: 'All connections of one host end at once under load, and all its clients reconnect at once',
  invariant: 'All clients are live at the end, and get the messages that they missed',
  defaults: { ...DEFAULTS, clients: 600, ratePerSec: 60, durationSec: 20 },
  plan: (settings) =>
    loadedRoomsPlan(settings, [
      {
        do: 'cut',
        atMs: atShareMs(settings, 0.3),
        cut: { selection: { host: 0 }, offlineMs: OFFLINE_MS, spreadMs: 0 },
      },
    ]),
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
  title: '5 % of the clients leave and come back each second, under load',
  invariant:
    'Clients that leave come back, no other client is dropped, and members get every message sent while they are there',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 20 },
  plan: (settings) => loadedRoomsPlan(settings, [churnStep(settings, SHARE_PER_SEC)]),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    someReconnected(result),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
