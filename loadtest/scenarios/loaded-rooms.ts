/** A scenario with rooms of one size under load, without faults. Several differ only in their settings. */
import type { Scenario } from '../model/scenario.ts'
import { checksWithoutFaults } from './checks.ts'
import { DEFAULTS, loadStep, planClients, roomOfSize } from './clients.ts'

type Description = Pick<Scenario, 'name' | 'title' | 'invariant'>

export const loadedRooms = (
  description: Description,
  defaults: Partial<Scenario['defaults']>,
  settleMs: number,
): Scenario => ({
  ...description,
  defaults: { ...DEFAULTS, clients: 500, ratePerSec: 200, durationSec: 20, ...defaults },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs,
  }),
  checks: checksWithoutFaults,
})
