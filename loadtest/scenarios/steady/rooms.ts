/** Rooms of one size under load, without faults. */
import type { Scenario } from '../../model/scenario.ts'
import { checksWithoutFaults } from '../checks.ts'
import { DEFAULTS, LONG_SETTLE_MS, loadStep, planClients, roomOfSize, SETTLE_MS } from '../clients.ts'

type Description = Pick<Scenario, 'name' | 'title' | 'invariant'>

const inRooms = (
  description: Description,
  defaults: Partial<Scenario['defaults']>,
  settleMs: number,
): Scenario => ({
  ...description,
  defaults: { ...DEFAULTS, clients: 500, ratePerSec: 200, durationSec: 20, ...defaults },
  needs: [],
  minHosts: 1,
  minWorkers: 1,
  plan: (settings) => ({
    clients: planClients(settings, roomOfSize(settings.roomSize)),
    steps: [loadStep(settings)],
    settleMs,
  }),
  checks: checksWithoutFaults,
})

export const smallRooms = inRooms(
  {
    name: 'small-rooms',
    title: 'Many rooms with a few members each',
    invariant: 'Every send is acked and delivered to its room',
  },
  { roomSize: 5 },
  SETTLE_MS,
)

export const pollingCrowd = inRooms(
  {
    name: 'polling-crowd',
    title: 'All clients use HTTP long polling',
    invariant: 'Every send is acked and delivered to its room, and no session is lost between two requests',
  },
  { transport: 'polling', clients: 200, ratePerSec: 40 },
  SETTLE_MS,
)

/** 200,000 deliveries per second, known from server comparisons: more than two cores can sustain. */
export const rooms10x100 = inRooms(
  {
    name: 'rooms-10x100',
    title: '10 rooms of 100 clients, each sending 2 messages per second (200,000 deliveries per second)',
    invariant: 'Every send is acked and delivered to its room, however late',
  },
  { clients: 1_000, roomSize: 100, ratePerSec: 2_000, durationSec: 5 },
  2 * LONG_SETTLE_MS,
)
