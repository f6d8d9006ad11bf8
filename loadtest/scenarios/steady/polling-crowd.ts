import { SETTLE_MS } from '../clients.ts'
import { loadedRooms } from '../loaded-rooms.ts'

export const pollingCrowd = loadedRooms(
  {
    name: 'polling-crowd',
    title: 'All clients use HTTP long polling',
    invariant: 'Every send is acked and delivered to its room, and no session is lost between two requests',
  },
  { transport: 'polling', clients: 200, ratePerSec: 40 },
  SETTLE_MS,
)
