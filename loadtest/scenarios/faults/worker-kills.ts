import type { Step } from '../../model/plan.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { checksWithFaults } from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize } from '../clients.ts'

/** Moments of the kills, as shares of the duration. */
const KILLS = [0.15, 0.45, 0.75]

export const workerKills: Scenario = {
  name: 'worker-kills',
  title: 'Three times under load, a worker is killed (SIGKILL)',
  invariant: 'Nothing that was acked is lost, and everybody is live at the end',
  defaults: { ...DEFAULTS, clients: 300, ratePerSec: 60, durationSec: 30 },
  needs: ['kill-worker'],
  minHosts: 1,
  minWorkers: 2,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), ...kills(settings)],
    settleMs: LONG_SETTLE_MS,
  }),
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
