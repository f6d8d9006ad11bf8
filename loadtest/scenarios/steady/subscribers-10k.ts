import type { Scenario } from '../../model/scenario.ts'
import { checksWithoutFaults } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, oneRoom, planClients } from '../clients.ts'

/** The deliveries of one second of sends take two cores much longer. */
const SETTLE_MS = 3 * LONG_SETTLE_MS

export const subscribers10k: Scenario = {
  name: 'subscribers-10k',
  title: '10,000 subscribers of one room, and one client that publishes 100 messages at 100/s',
  invariant: 'All 1,000,000 deliveries arrive, and no client is dropped',
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
  checks: checksWithoutFaults,
}
