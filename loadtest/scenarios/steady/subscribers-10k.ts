import type { Scenario } from '../../model/scenario.ts'
import { served } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, oneRoom, planClients } from '../clients.ts'

/** What two cores take longer for than the second in which it is sent. */
const SETTLE_MS = 3 * LONG_SETTLE_MS

export const subscribers10k: Scenario = {
  name: 'subscribers-10k',
  title: '10,000 subscribers of one room, and one who publishes 100 messages at 100/s',
  invariant: 'All of the 1,000,000 deliveries come, and nobody is dropped for it',
  defaults: {
    ...DEFAULTS,
    clients: 10_000,
    roomSize: 10_000,
    ratePerSec: 100,
    durationSec: 1,
    arrivals: 'even',
  },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, oneRoom, (index) => ({ sends: index === 0 })),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: served,
}
