import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { checksWithFaults } from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize } from '../clients.ts'

export const rollingReload: Scenario = {
  name: 'rolling-reload',
  title: 'Under load, host after host replaces its workers one by one',
  invariant: 'Clients are moved without a loss, and all are live at the end',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['reload'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), ...reloads(settings)],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: checksWithFaults,
}

function reloads(settings: ScenarioSettings): Step[] {
  const { hosts } = settings.shape
  return Array.from({ length: hosts }, (_, host) => ({
    do: 'fault',
    atMs: atShareMs(settings, 0.1 + (0.7 * host) / hosts),
    fault: 'reload',
    which: host,
  }))
}
