/**
 * Load, churn and occasional faults for a long time; then the servers' resource counts must return to what
 * they were.
 */

import { countOf } from '../../../src/core/count-of.ts'
import { hasReturned } from '../../measure/resources/compare-resources.ts'
import type { Baseline, Check } from '../../model/result.ts'
import type { Scenario } from '../../model/scenario.ts'
import { inUnit } from '../../report/format.ts'
import {
  allBackAtEnd,
  allJoined,
  messagesDelivered,
  someReconnected,
  type UncheckedResult,
} from '../checks.ts'
import { churnStep, DEFAULTS, LONG_SETTLE_MS, load, loadStep, planClients, roomOfSize } from '../clients.ts'
import { FAST_STOP_ENV, faultsOf } from '../random-faults.ts'
import { SOAK_FAULTS, soakFaults } from '../soak-faults.ts'

/** Share of all clients that leaves and comes back per second. */
const CHURN_PER_SEC = 0.02
/** Messages of each client before the first count. */
const WARM_UP_MESSAGES = 3
/** Longer than the servers take to detect a dead host and a dead client connection. */
const RETURN_MS = 60_000

export const soak: Scenario = {
  name: 'soak',
  title:
    'For ten minutes, or --duration: load, clients that leave and come back, and a fault every 15 s or so',
  invariant:
    'No acked message is lost, and memory, descriptors, handles, listeners, Redis keys and subscriptions return to what they were before',
  defaults: { ...DEFAULTS, clients: 200, ratePerSec: 60, durationSec: 600 },
  needs: [],
  wants: faultsOf(SOAK_FAULTS),
  minHosts: 1,
  minWorkers: 1,
  measuresNoTimes: true,
  env: {
    ...FAST_STOP_ENV,
    // The default, not the lifted limit: per-user connection counts must be freed too.
    CONNECTIONS_PER_USER: '50',
  },
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), churnStep(settings, CHURN_PER_SEC), ...soakFaults(settings)],
    baseline: {
      warmUp: load(settings, {
        arrivals: 'even',
        durationMs: Math.ceil((settings.clients * WARM_UP_MESSAGES * 1_000) / settings.ratePerSec),
      }),
      returnMs: RETURN_MS,
    },
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result) => [
    allJoined(result),
    someReconnected(result),
    allBackAtEnd(result),
    messagesDelivered(result),
    ...resourcesReturned(result),
  ],
}

const BASELINE_CLIENTS = ['all', 'none'] as const
const NAMES: Readonly<Record<Baseline['clients'], string>> = {
  all: 'with all clients joined, resource counts return to what they were',
  none: 'without clients, resource counts return to what they were',
}

function resourcesReturned({ baselines = [], server }: UncheckedResult): Check[] {
  return BASELINE_CLIENTS.map((clients) => {
    const name = NAMES[clients]
    if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not measured' }
    const baseline = baselines.find((each) => each.clients === clients)
    if (baseline === undefined) return { name, ok: false, detail: 'not counted' }
    const exceeded = baseline.rows.filter((row) => !hasReturned(row))
    const detail =
      exceeded.length === 0 ? countOf(baseline.rows.length, 'figure') : exceeded.map(rowLine).join('; ')
    return { name, ok: exceeded.length === 0, detail }
  })
}

function rowLine({ of, what, unit, before, after, changed }: Baseline['rows'][number]): string {
  const kinds = changed === '' ? '' : ` (${changed})`
  return `${what} of ${of}: ${inUnit(before, unit)} → ${inUnit(after, unit)}${kinds}`
}
