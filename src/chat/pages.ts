/** Reads pages of a room's log as the protocol has them. */
import type { RoomPage, Rooms } from '../wire/app.ts'
import type { ChatPage, HistoryRange } from '../wire/chat.ts'

type Reader = Pick<Rooms, 'read'>

export async function history(rooms: Reader, room: string, asked: HistoryRange): Promise<ChatPage> {
  const { before, after, limit } = asked
  if (after !== undefined) return pageOf(await rooms.read(room, { after, limit }))
  if (before !== undefined) return pageOf(await rooms.read(room, { before, limit }))
  return pageOf(await rooms.read(room, { newest: true, limit }))
}

interface Resume {
  after?: number | undefined
  epoch?: string | undefined
  limit: number
}

/** What a joining client lacks; the newest page, with `reset`, when what it has is not of this log any more. */
export async function resume(
  rooms: Reader,
  room: string,
  asked: Resume,
): Promise<ChatPage & { reset: boolean }> {
  const { after, epoch, limit } = asked
  if (after === undefined) {
    const page = await rooms.read(room, { newest: true, limit })
    return { ...pageOf(page), reset: epoch !== undefined && epoch !== page.epoch }
  }
  const page = await rooms.read(room, { after, limit })
  if (follows(page, after, epoch)) return { ...pageOf(page), reset: false }
  return { ...pageOf(await rooms.read(room, { newest: true, limit })), reset: true }
}

/** A client that is ahead of the log has seen another one, even if it can't say which. */
function follows(page: RoomPage, after: number, epoch: string | undefined): boolean {
  const sameLog = epoch === undefined || epoch === page.epoch
  return sameLog && after >= page.first - 1 && after <= page.head
}

function pageOf({ epoch, head, entries, more }: RoomPage): ChatPage {
  return { epoch, head, messages: entries, more }
}
