/** Crowds to whom nothing is done but that they talk in rooms of one size. */
import type { Scenario } from '../../model/scenario.ts'
import { served } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

type Told = Pick<Scenario, 'name' | 'title' | 'invariant'>

const inRooms = (told: Told, defaults: Partial<Scenario['defaults']>, settleMs: number): Scenario => ({
  ...told,
  defaults: { ...DEFAULTS, clients: 500, ratePerSec: 200, durationSec: 20, ...defaults },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs,
  }),
  checks: served,
})

export const smallRooms = inRooms(
  {
    name: 'small-rooms',
    title: 'Many rooms of a few members each',
    invariant: 'Every send is acked and shown to its room',
  },
  { roomSize: 5 },
  SETTLE_MS,
)

export const pollingCrowd = inRooms(
  {
    name: 'polling-crowd',
    title: 'Nobody has a WebSocket: all clients use HTTP long polling',
    invariant: 'Every send is acked and shown to its room, and no session is lost between two requests',
  },
  { transport: 'polling', clients: 200, ratePerSec: 40 },
  SETTLE_MS,
)

/** 200,000 deliveries a second: known from comparisons of servers, and more than two cores carry for long. */
export const rooms10x100 = inRooms(
  {
    name: 'rooms-10x100',
    title: '10 rooms of 100 clients, each of whom sends 2 messages a second (200,000 deliveries a second)',
    invariant: 'Every send is acked and shown to its room, however late',
  },
  { clients: 1_000, roomSize: 100, ratePerSec: 2_000, durationSec: 5 },
  2 * LONG_SETTLE_MS,
)
