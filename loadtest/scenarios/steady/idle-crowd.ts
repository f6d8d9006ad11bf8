import type { Scenario } from '../../model/scenario.ts'
import { allJoined, messagesDelivered, noneDropped, type UncheckedResult } from '../checks.ts'
import { atShareMs, DEFAULTS, load, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

/** Messages at the end show that the connections still work. */
const LOAD_MS = 5_000

export const idleCrowd: Scenario = {
  name: 'idle-crowd',
  title:
    'Clients connect, stay idle for --duration, and get messages at the end (--rate): memory per connection',
  invariant: 'No client is dropped while idle, and the memory per connection is measured',
  defaults: { ...DEFAULTS, clients: 2_000, ratePerSec: 20, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [
      { do: 'rest', atMs: 0, durationMs: atShareMs(settings, 1) },
      { do: 'load', atMs: atShareMs(settings, 1), load: load(settings, { durationMs: LOAD_MS }) },
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
  const name = 'the memory per connection is measured'
  if (server === null) return { name, ok: true, detail: 'the servers run elsewhere: not measured' }
  const bytes = server.rssPerClientBytes
  return {
    name,
    ok: bytes !== null && bytes > 0,
    detail: bytes === null ? 'not measured' : `${(bytes / 1_024).toFixed(1)} KiB`,
  }
}
