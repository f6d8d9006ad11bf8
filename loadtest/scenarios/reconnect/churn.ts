import type { Scenario } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, noneDropped, someReconnected } from '../checks.ts'
import { churnStep, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

/** Share of all clients that leaves and comes back per second. */
const SHARE_PER_SEC = 0.05

export const churn: Scenario = {
  name: 'churn',
  title: '5 % of the clients leave and come back each second, under load',
  invariant:
    'Clients that leave come back, no other client is dropped, and members get every message sent while they are there',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => loadedRoomsPlan(settings, [churnStep(settings, SHARE_PER_SEC)]),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    someReconnected(result),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
