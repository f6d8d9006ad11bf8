import type { Scenario } from '../../model/scenario.ts'
import { checksWithoutFaults } from '../checks.ts'
import { DEFAULTS, loadStep, planClients, SETTLE_MS } from '../clients.ts'

const ROOMS_PER_CLIENT = 20

export const manyRooms: Scenario = {
  name: 'many-rooms',
  title: `Each client is in ${ROOMS_PER_CLIENT} rooms, with other clients in each`,
  invariant: 'Every send is acked and delivered to its room, once to each member',
  defaults: { ...DEFAULTS, clients: 200, ratePerSec: 100, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomsOf(settings.clients, settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: checksWithoutFaults,
}

/**
 * A client joins every n-th room of the list, from its own position on and wrapping round, so neighbours
 * share few rooms.
 */
function roomsOf(clients: number, roomSize: number): (index: number) => string[] {
  const count = Math.max(1, Math.round((clients * ROOMS_PER_CLIENT) / roomSize))
  const most = Math.min(ROOMS_PER_CLIENT, count)
  const distance = Math.floor(count / most)
  return (index) => Array.from({ length: most }, (_, nth) => `room-${(index + nth * distance) % count}`)
}
