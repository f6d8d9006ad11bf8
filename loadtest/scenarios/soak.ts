import type { Check } from '../result.ts'
import type { Scenario } from '../scenario.ts'
import { allAcked, everyoneIn, type Judged, nobodyDropped, somethingHeard, sum } from './checks.ts'
import { crowd, loadStep, roomOfSize, SETTLE_MS, USUAL } from './crowd.ts'

/** Memory of the last quarter over that of the second: the first is for warming up. */
const MOST_GROWTH = 1.5

export const soak: Scenario = {
  name: 'soak',
  title: 'A steady load for ten minutes, or as long as --duration says',
  invariant: `Nothing is lost, nobody is dropped, and memory grows by less than half from the second quarter to the last`,
  defaults: { ...USUAL, clients: 300, ratePerSec: 60, durationSec: 600 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs: SETTLE_MS,
  }),
  checks: (result) => [
    everyoneIn(result),
    nobodyDropped(result),
    allAcked(result),
    memorySteady(result),
    somethingHeard(result),
  ],
}

function memorySteady({ timeline, server }: Judged): Check {
  const name = 'memory does not grow without end'
  if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not seen' }
  const bytes = timeline
    .filter((second) => second.atMs > 0)
    .map((second) => sum(Object.values(second.rssBytes)))
  const quarter = Math.floor(bytes.length / 4)
  if (quarter === 0) return { name, ok: false, detail: 'the run was too short to tell' }
  const early = sum(bytes.slice(quarter, 2 * quarter)) / quarter
  const late = sum(bytes.slice(-quarter)) / quarter
  return { name, ok: late < early * MOST_GROWTH, detail: `${mebibytes(early)} → ${mebibytes(late)} MiB` }
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
