import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, someReconnected } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, oneRoom, planClients } from '../clients.ts'

const PERIOD_MS = 15_000
const OFFLINE_MS = 2_000

/**
 * As in AnyCable's public benchmark: 120 broadcasts at 2/s to one room. In every period each client is
 * disconnected once, at a time of its own.
 */
export const jitter: Scenario = {
  name: 'jitter',
  title: 'Each client is disconnected every 15 s for 2 s, while one room gets 120 broadcasts at 2/s',
  invariant:
    'All clients reconnect and get the messages that they missed (servers that store nothing fail here)',
  defaults: {
    ...DEFAULTS,
    clients: 300,
    roomSize: 300,
    ratePerSec: 2,
    durationSec: 60,
    arrivals: 'even',
  },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, oneRoom),
    steps: [loadStep(settings), ...cuts(settings)],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result, settings.clients),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}

/** The cuts of a period end before the next period begins, so no client is cut while it is away. */
function cuts(settings: ScenarioSettings): Step[] {
  const count = Math.max(1, Math.floor((settings.durationSec * 1_000) / PERIOD_MS))
  return Array.from({ length: count }, (_, period) => ({
    do: 'cut',
    atMs: period * PERIOD_MS,
    cut: { selection: 'all', offlineMs: OFFLINE_MS, spreadMs: PERIOD_MS - OFFLINE_MS },
  }))
}
