/** The title of a room: `#name`, or the name of the other person. Pure. */
import { isDirect } from '../../client/index.ts'
import type { RoomLine } from '../sidebar/room-list-model.ts'

export function roomTitle(lines: readonly RoomLine[], room: string): string {
  if (!isDirect(room)) return `#${room}`
  return lines.find((line) => line.room === room)?.title ?? 'Direct message'
}
