import type { Scenario } from '../scenario.ts'
import { served } from './checks.ts'
import { crowd, loadStep, SETTLE_MS, USUAL } from './crowd.ts'

/**
 * The two of a pair are on different hosts where there are several. Their room is a room of two with a name of the plan: what
 * `dm:` adds to the chat, a check of who may join, is no part of the way of a message.
 */
export const directMessages: Scenario = {
  name: 'direct-messages',
  title: 'Clients in pairs, each in a room of two',
  invariant: 'Every send is acked and shown to both, and to nobody else',
  defaults: { ...USUAL, clients: 400, roomSize: 2, ratePerSec: 200, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, (index) => [`pair-${Math.floor(index / 2)}`]),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: served,
}
