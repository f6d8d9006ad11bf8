/** What a room is called in a sentence or a heading. Pure. */
import { isDirect } from '../../client/index.ts'
import type { RoomLine } from '../sidebar/room-list-model.ts'

export function roomTitle(lines: readonly RoomLine[], room: string): string {
  if (!isDirect(room)) return `#${room}`
  return lines.find((line) => line.room === room)?.title ?? 'Direct message'
}
