import type { Scenario } from '../../model/scenario.ts'
import { allJoined, messagesDelivered, noConnectErrors, noneDropped } from '../checks.ts'
import { DEFAULTS, load, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

/** After the storm each room hears something, so that those who are connected are known to be. */
const MESSAGES_PER_SEC = 50

export const connectStorm: Scenario = {
  name: 'connect-storm',
  title: 'Many clients connect in a few seconds (--rate: connects a second), then each room hears something',
  invariant: 'Every client gets in, none has to try twice, none is dropped',
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
