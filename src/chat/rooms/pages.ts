/**
 * Reads pages of a room's log in the form of the protocol. A page is limited in bytes too: after two hundred
 * of the longest texts or data at once, the client would count as one that does not read.
 */
import type { RoomPage, Rooms } from '../../wire/app.ts'
import type { ChatPage, HistoryRange } from '../../wire/chat.ts'
import type { LogEntry } from '../../wire/entry.ts'

const PAGE_MAX_BYTES = 1_048_576
const ENTRY_REST_BYTES = 512
/** An escaped control character. */
const LONGEST_ESCAPE_BYTES = 6

type Reader = Pick<Rooms, 'read'>

export async function history(
  rooms: Reader,
  room: string,
  { before, after, limit }: HistoryRange,
): Promise<ChatPage & { room: string }> {
  if (after !== undefined) return { room, ...oldestOf(await rooms.read(room, { after, limit })) }
  const range = before === undefined ? ({ newest: true, limit } as const) : { before, limit }
  return { room, ...newestOf(await rooms.read(room, range)) }
}

interface ResumePoint {
  after?: number | undefined
  epoch?: string | undefined
  limit: number
}

/**
 * What a joining client is missing. The newest page with `reset` when the client's entries are of another
 * log.
 */
export async function resume(
  rooms: Reader,
  room: string,
  asked: ResumePoint,
): Promise<ChatPage & { reset: boolean }> {
  const { after, epoch, limit } = asked
  if (after === undefined) {
    const page = await rooms.read(room, { newest: true, limit })
    return { ...newestOf(page), reset: epoch !== undefined && epoch !== page.epoch }
  }
  const page = await rooms.read(room, { after, limit })
  if (follows(page, after, epoch)) return { ...oldestOf(page), reset: false }
  return { ...newestOf(await rooms.read(room, { newest: true, limit })), reset: true }
}

/** A client that is ahead of the log has seen another log, even without an epoch. */
function follows(page: RoomPage, after: number, epoch: string | undefined): boolean {
  const sameLog = epoch === undefined || epoch === page.epoch
  return sameLog && after >= page.first - 1 && after <= page.head
}

/** The oldest entries of the page that fit. */
function oldestOf({ epoch, head, entries, more }: RoomPage): ChatPage {
  const fitting = countFitting(entries)
  return { epoch, head, messages: entries.slice(0, fitting), more: more || fitting < entries.length }
}

/** The newest entries of the page that fit. */
function newestOf({ epoch, head, entries, more }: RoomPage): ChatPage {
  const fitting = countFitting(entries.toReversed())
  return {
    epoch,
    head,
    messages: entries.slice(entries.length - fitting),
    more: more || fitting < entries.length,
  }
}

/** At least one. */
function countFitting(entries: readonly LogEntry[]): number {
  const chars = entries.reduce((sum, { text }) => sum + (text?.length ?? 0), 0)
  const haveData = entries.some(({ data }) => data !== undefined)
  if (!haveData && chars * LONGEST_ESCAPE_BYTES + entries.length * ENTRY_REST_BYTES <= PAGE_MAX_BYTES)
    return entries.length
  let bytes = 0
  for (const [index, { text = '', data = '' }] of entries.entries()) {
    bytes += ENTRY_REST_BYTES + Buffer.byteLength(JSON.stringify([text, data]))
    if (bytes > PAGE_MAX_BYTES) return Math.max(1, index)
  }
  return entries.length
}
