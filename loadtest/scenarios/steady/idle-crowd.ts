import type { Scenario } from '../../model/scenario.ts'
import { allJoined, messagesDelivered, noneDropped, type UncheckedResult } from '../checks.ts'
import { atShareMs, DEFAULTS, load, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

/** Said at the end, so that those who seem connected are known to hear. */
const LAST_WORDS_MS = 5_000

export const idleCrowd: Scenario = {
  name: 'idle-crowd',
  title:
    'Clients connect, stay silent for --duration, and hear something at the end (--rate): memory a connection',
  invariant: 'Nobody is dropped while silent, and the memory of a connection is known',
  defaults: { ...DEFAULTS, clients: 2_000, ratePerSec: 20, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [
      { do: 'rest', atMs: 0, durationMs: atShareMs(settings, 1) },
      { do: 'load', atMs: atShareMs(settings, 1), load: load(settings, { durationMs: LAST_WORDS_MS }) },
    ],
    settleMs: SETTLE_MS,
  }),
  checks: (result) => [
    allJoined(result),
    noneDropped(result),
    memoryKnown(result),
    messagesDelivered(result),
  ],
}

function memoryKnown({ server }: UncheckedResult) {
  const name = 'the memory of a connection is known'
  if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not seen' }
  const bytes = server.rssPerClientBytes
  return {
    name,
    ok: bytes !== null && bytes > 0,
    detail: bytes === null ? 'not measured' : `${(bytes / 1_024).toFixed(1)} KiB`,
  }
}
