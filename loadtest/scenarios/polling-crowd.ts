import type { Scenario } from '../scenario.ts'
import { served } from './checks.ts'
import { crowd, loadStep, roomOfSize, SETTLE_MS, USUAL } from './crowd.ts'

export const pollingCrowd: Scenario = {
  name: 'polling-crowd',
  title: 'Nobody has a WebSocket: all clients use HTTP long polling',
  invariant: 'Every send is acked and shown to its room, and no session is lost between two requests',
  defaults: { ...USUAL, transport: 'polling', clients: 200, ratePerSec: 40, durationSec: 20 },
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
