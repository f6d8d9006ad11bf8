import type { Scenario } from '../scenario.ts'
import { served } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, roomOfSize, USUAL } from './crowd.ts'

/** 200,000 deliveries a second: known from comparisons of servers, and more than two cores carry for long. */
export const rooms10x100: Scenario = {
  name: 'rooms-10x100',
  title: '10 rooms of 100 clients, each of whom sends 2 messages a second (200,000 deliveries a second)',
  invariant: 'Every send is acked and shown to its room, however late',
  defaults: { ...USUAL, clients: 1_000, roomSize: 100, ratePerSec: 2_000, durationSec: 5 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs: 2 * LONG_SETTLE_MS,
  }),
  checks: served,
}
