import type { Scenario } from '../../model/scenario.ts'
import { allBackAtEnd, allJoined, messagesDelivered, someReconnected } from '../checks.ts'
import { atShareMs, DEFAULTS, loadedRoomsPlan } from '../clients.ts'

const OFFLINE_MS = 500

export const avalanche: Scenario = {
  name: 'avalanche',
  title: 'All connections of one host end at once under load, and all its clients reconnect at once',
  invariant: 'All clients are live at the end, and get the messages that they missed',
  defaults: { ...DEFAULTS, clients: 600, ratePerSec: 60, durationSec: 20 },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) =>
    loadedRoomsPlan(settings, [
      {
        do: 'cut',
        atMs: atShareMs(settings, 0.3),
        cut: { selection: { host: 0 }, offlineMs: OFFLINE_MS, spreadMs: 0 },
      },
    ]),
  checks: (result, settings) => [
    allJoined(result),
    someReconnected(result, Math.ceil(settings.clients / settings.shape.hosts)),
    allBackAtEnd(result),
    messagesDelivered(result),
  ],
}
