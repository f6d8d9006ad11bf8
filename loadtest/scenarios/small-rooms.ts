import type { Scenario } from '../scenario.ts'
import { served } from './checks.ts'
import { crowd, loadStep, roomOfSize, SETTLE_MS, USUAL } from './crowd.ts'

export const smallRooms: Scenario = {
  name: 'small-rooms',
  title: 'Many rooms of a few members each',
  invariant: 'Every send is acked and shown to its room',
  defaults: { ...USUAL, clients: 500, roomSize: 5, ratePerSec: 200, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: served,
}
