import type { Check, Second } from '../../model/result.ts'
import type { Scenario, ScenarioSettings } from '../../model/scenario.ts'
import { allAcked, allJoined, medianOf, messagesDelivered, type UncheckedResult } from '../checks.ts'
import { atShareMs, DEFAULTS, LONG_SETTLE_MS, loadStep, oneRoom, planClients } from '../clients.ts'

/** Every n-th client stops reading from its socket after a third of the run. */
const SLOW_EVERY = 10
const SLOW_FROM = 1 / 3
/** Left out of the figures: connections warm up, and buffers fill. */
const WARM_MS = 2_000
/**
 * A server that waits for slow readers delays the others by seconds or for ever; a busy machine only by a
 * small factor.
 */
const MAX_RATIO = 10
/** Below this latency a ratio says nothing. */
const FAST_MS = 20

export const slowReaders: Scenario = {
  name: 'slow-readers',
  title: 'After a third of the run a tenth of one room stops reading from its sockets; long texts go to all',
  invariant: `The others are served as before: every send is acked, and a second's delivery p99 is at most ${MAX_RATIO} times what it was`,
  defaults: { ...DEFAULTS, textLength: 4_000, clients: 200, roomSize: 200, ratePerSec: 20, durationSec: 45 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, oneRoom, (index) =>
      isSlow(index) ? { reads: 'never', sends: false } : {},
    ),
    steps: [loadStep(settings), { do: 'slow', atMs: atShareMs(settings, SLOW_FROM) }],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result, settings) => [
    allJoined(result),
    allAcked(result),
    servedAsBefore(result, settings),
    messagesDelivered(result),
  ],
}

const isSlow = (index: number): boolean => index % SLOW_EVERY === SLOW_EVERY - 1

const p99Of = (seconds: readonly Second[]): number | undefined =>
  medianOf(seconds.map(({ deliveryP99Ms }) => deliveryP99Ms))

/** Compares medians of seconds within the same run, so a short slow-down of the machine does not count. */
function servedAsBefore({ timeline }: UncheckedResult, settings: ScenarioSettings): Check {
  const name = 'the other clients are served as before'
  const slowAtMs = atShareMs(settings, SLOW_FROM)
  const heard = timeline.filter(({ delivered }) => delivered > 0)
  const before = p99Of(heard.filter(({ atMs }) => atMs > WARM_MS && atMs <= slowAtMs))
  const after = p99Of(heard.filter(({ atMs }) => atMs > slowAtMs + WARM_MS && atMs <= atShareMs(settings, 1)))
  if (before === undefined || after === undefined)
    return { name, ok: false, detail: 'the run was too short to tell' }
  return {
    name,
    ok: after <= MAX_RATIO * Math.max(before, FAST_MS),
    detail: `median delivery p99 of a second: ${before.toFixed(1)} ms before, ${after.toFixed(1)} ms after`,
  }
}
