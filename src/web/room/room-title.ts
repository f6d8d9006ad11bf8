/** The title of a room: `#name`, or the name of the other person. Pure. */
import { isDirect } from '../../client/index.ts'
import type { RoomListItem } from '../sidebar/room-list-model.ts'

export function roomTitle(items: readonly RoomListItem[], room: string): string {
  if (!isDirect(room)) return `#${room}`
  return items.find((item) => item.room === room)?.title ?? 'Direct message'
}
