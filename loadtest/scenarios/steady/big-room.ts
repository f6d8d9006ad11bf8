import type { Scenario } from '../../model/scenario.ts'
import { checksWithoutFaults } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, oneRoom, planClients } from '../clients.ts'

export const bigRoom: Scenario = {
  name: 'big-room',
  title: 'One room that all clients join and send to',
  invariant: 'Every send is acked, and every member gets every message',
  defaults: { ...DEFAULTS, clients: 300, roomSize: 300, ratePerSec: 20, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, oneRoom),
    steps: [loadStep(settings)],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: checksWithoutFaults,
}
