import { LONG_SETTLE_MS } from '../clients.ts'
import { loadedRooms } from '../loaded-rooms.ts'

/** 200,000 deliveries per second, known from server comparisons: more than two cores can sustain. */
export const rooms10x100 = loadedRooms(
  {
    name: 'rooms-10x100',
    title: '10 rooms of 100 clients, each sending 2 messages per second (200,000 deliveries per second)',
    invariant: 'Every send is acked and delivered to its room, however late',
  },
  { clients: 1_000, roomSize: 100, ratePerSec: 2_000, durationSec: 5 },
  2 * LONG_SETTLE_MS,
)
