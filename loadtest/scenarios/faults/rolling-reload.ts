import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { checksWithFaults } from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

export const rollingReload: Scenario = {
  name: 'rolling-reload',
  title: 'The hosts replace their workers one by one under load, one host after the other',
  invariant: 'Clients move without losing a message, and all are live at the end',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['reload'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => loadedRoomsPlan(settings, reloads(settings)),
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
