/** A server for a working day: load, comings and goings, and faults now and then; what it holds afterwards is what it held before. */

import { isBack } from '../../measure/resources/compare-resources.ts'
import type { Baseline, Check } from '../../model/result.ts'
import type { Scenario } from '../../model/scenario.ts'
import { countOf, inUnit } from '../../report/format.ts'
import {
  allBackAtEnd,
  allJoined,
  messagesDelivered,
  someReconnected,
  type UncheckedResult,
} from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, load, loadStep, planClients, roomOfSize } from '../clients.ts'
import { churnStep } from '../reconnect/reconnects.ts'
import { DRAIN_MS, faultsOf } from './random-faults.ts'
import { SOAK_FAULTS, soakFaults } from './soak-faults.ts'

/** Of all clients, so many leave and come back a second. */
const CHURN_PER_SEC = 0.02
/** So often has each client spoken before anything is counted. */
const WORDS_BEFORE = 3
/** Longer than it takes to miss a host that died without a word, and a client whose connection did. */
const RETURN_MS = 60_000

export const soak: Scenario = {
  name: 'soak',
  title:
    'For ten minutes, or as long as --duration says: load, clients that leave and come back, and faults every 15 s or so',
  invariant:
    'Nothing acked is lost, and memory, descriptors, handles, listeners, Redis keys and subscriptions come back to what they were before',
  defaults: { ...DEFAULTS, clients: 200, ratePerSec: 60, durationSec: 600 },
  needs: [],
  wants: faultsOf(SOAK_FAULTS),
  minHosts: 1,
  minWorkers: 1,
  measuresNoTimes: true,
  env: {
    DRAIN_MS: String(DRAIN_MS),
    STOP_DEADLINE_MS: String(DRAIN_MS + 5_000),
    // Counted as by default: what is kept of each user's connections must go with them.
    CONNECTIONS_PER_USER: '50',
  },
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings), churnStep(settings, CHURN_PER_SEC), ...soakFaults(settings)],
    baseline: {
      warmUp: load(settings, {
        arrivals: 'even',
        durationMs: Math.ceil((settings.clients * WORDS_BEFORE * 1_000) / settings.ratePerSec),
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
    ...heldAsBefore(result),
  ],
}

const MOMENTS = ['all', 'none'] as const
const NAMES: Readonly<Record<Baseline['clients'], string>> = {
  all: 'with all clients in their rooms, the servers hold what they held before',
  none: 'without any client, the servers hold what they held before',
}

function heldAsBefore({ baselines = [], server }: UncheckedResult): Check[] {
  return MOMENTS.map((clients) => {
    const name = NAMES[clients]
    if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not seen' }
    const baseline = baselines.find((each) => each.clients === clients)
    if (baseline === undefined) return { name, ok: false, detail: 'it was not counted' }
    const astray = baseline.rows.filter((row) => !isBack(row))
    const detail = astray.length === 0 ? countOf(baseline.rows.length, 'figure') : astray.map(told).join('; ')
    return { name, ok: astray.length === 0, detail }
  })
}

function told({ of, what, unit, before, after, changed }: Baseline['rows'][number]): string {
  const kinds = changed === '' ? '' : ` (${changed})`
  return `${what} of ${of}: ${inUnit(before, unit)} → ${inUnit(after, unit)}${kinds}`
}
