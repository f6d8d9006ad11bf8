import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { checksWithFaults } from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

/** When workers are killed, as shares of the duration. */
const KILLS = [0.15, 0.45, 0.75]

export const workerKills: Scenario = {
  name: 'worker-kills',
  title: 'A worker is killed (SIGKILL) three times under load',
  invariant: 'No acked message is lost, and all clients are live at the end',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['kill-worker'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => loadedRoomsPlan(settings, kills(settings)),
  checks: checksWithFaults,
}

/** The first worker of one host after the other. */
function kills(settings: ScenarioSettings): Step[] {
  const { hosts, workersPerHost } = settings.shape
  return KILLS.map((share, nth) => ({
    do: 'fault',
    atMs: atShareMs(settings, share),
    fault: 'kill-worker',
    which: (nth % hosts) * workersPerHost,
  }))
}
