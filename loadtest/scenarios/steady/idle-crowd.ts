import type { Scenario } from '../../model/scenario.ts'
import { everyoneIn, type Judged, nobodyDropped, somethingHeard } from '../checks.ts'
import { crowd, load, momentMs, roomOfSize, SETTLE_MS, USUAL } from '../clients.ts'

/** Said at the end, so that those who seem connected are known to hear. */
const LAST_WORDS_MS = 5_000

export const idleCrowd: Scenario = {
  name: 'idle-crowd',
  title:
    'Clients connect, stay silent for --duration, and hear something at the end (--rate): memory a connection',
  invariant: 'Nobody is dropped while silent, and the memory of a connection is known',
  defaults: { ...USUAL, clients: 2_000, ratePerSec: 20, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: crowd(settings, roomOfSize(settings.roomSize)),
    steps: [
      { do: 'rest', atMs: 0, durationMs: momentMs(settings, 1) },
      { do: 'load', atMs: momentMs(settings, 1), load: load(settings, { durationMs: LAST_WORDS_MS }) },
    ],
    settleMs: SETTLE_MS,
  }),
  checks: (result) => [
    everyoneIn(result),
    nobodyDropped(result),
    memoryKnown(result),
    somethingHeard(result),
  ],
}

function memoryKnown({ server }: Judged) {
  const name = 'the memory of a connection is known'
  if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not seen' }
  const bytes = server.rssPerClientBytes
  return {
    name,
    ok: bytes !== null && bytes > 0,
    detail: bytes === null ? 'not measured' : `${(bytes / 1_024).toFixed(1)} KiB`,
  }
}
