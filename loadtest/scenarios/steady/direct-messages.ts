import type { Scenario } from '../../model/scenario.ts'
import { checksWithoutFaults } from '../checks.ts'
import { DEFAULTS, loadStep, planClients, SETTLE_MS } from '../clients.ts'

/**
 * The two clients of a pair are on different hosts if there are several. In the chat their room is `dm:` with
 * both user ids, which the server opens to these two only. In other dialects it is a room of two.
 */
export const directMessages: Scenario = {
  name: 'direct-messages',
  title: 'Clients in pairs, each in a room of two',
  invariant: 'Every send is acked and delivered to both, and to no other client',
  defaults: { ...DEFAULTS, clients: 400, roomSize: 2, ratePerSec: 200, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients:
      settings.dialect === 'chat'
        ? planClients(
            settings,
            () => [],
            (index) => ({ directWith: [partnerOf(index, settings.clients)] }),
          )
        : planClients(settings, (index) => [`pair-${Math.floor(index / 2)}`]),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: checksWithoutFaults,
}

/** With an odd number of clients the last one writes to itself. */
const partnerOf = (index: number, clients: number): number => Math.min(index ^ 1, clients - 1)
