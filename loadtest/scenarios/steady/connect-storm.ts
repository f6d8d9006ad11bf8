import type { Scenario } from '../../model/scenario.ts'
import { allJoined, messagesDelivered, noConnectErrors, noneDropped } from '../checks.ts'
import { DEFAULTS, load, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

/** Messages after the storm show that the connections work. */
const MESSAGES_PER_SEC = 50

export const connectStorm: Scenario = {
  name: 'connect-storm',
  title: 'Many clients connect in a few seconds (--rate: connects per second), then each room gets messages',
  invariant: 'Every client connects at the first attempt, and none is dropped',
  defaults: { ...DEFAULTS, clients: 1_000, ratePerSec: 500, durationSec: 5 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  measuresConnecting: true,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize), (index) => ({
      connectAtMs: (index * 1_000) / settings.ratePerSec,
    })),
    steps: [{ do: 'load', atMs: 0, load: load(settings, { ratePerSec: MESSAGES_PER_SEC }) }],
    settleMs: SETTLE_MS,
  }),
  checks: (result) => [
    allJoined(result),
    noConnectErrors(result),
    noneDropped(result),
    messagesDelivered(result),
  ],
}
