import { SETTLE_MS } from '../clients.ts'
import { loadedRooms } from '../loaded-rooms.ts'

export const smallRooms = loadedRooms(
  {
    name: 'small-rooms',
    title: 'Many rooms with a few members each',
    invariant: 'Every send is acked and delivered to its room',
  },
  { roomSize: 5 },
  SETTLE_MS,
)
