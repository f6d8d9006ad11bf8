import type { Scenario } from '../scenario.ts'
import { allAcked, deliveryUnder, everyoneIn, somethingHeard } from './checks.ts'
import { crowd, LONG_SETTLE_MS, loadStep, oneRoom, USUAL } from './crowd.ts'

/** Every n-th client takes nothing from its socket once it has joined. */
const SLOW_EVERY = 10
/** A server that waits for the slow makes the others wait for seconds, or for ever. */
const LIMIT_MS = 1_000

export const slowReaders: Scenario = {
  name: 'slow-readers',
  title: 'A tenth of one room takes nothing from its sockets, while long texts are sent to all',
  invariant: `Those who read are served as ever: every send is acked, delivery p99 under ${LIMIT_MS} ms`,
  defaults: { ...USUAL, textLength: 2_000, clients: 200, roomSize: 200, ratePerSec: 20, durationSec: 30 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, oneRoom, (index) => (isSlow(index) ? { reads: 'never', sends: false } : {})),
    steps: [loadStep(settings)],
    settleMs: LONG_SETTLE_MS,
  }),
  checks: (result) => [
    everyoneIn(result),
    allAcked(result),
    deliveryUnder(result, LIMIT_MS),
    somethingHeard(result),
  ],
}

const isSlow = (index: number): boolean => index % SLOW_EVERY === SLOW_EVERY - 1
