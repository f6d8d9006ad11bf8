/** The model of the room list: its items, the search, and the offer to open a new room. Pure. */
import { type Author, foldedRoom } from '../../client/index.ts'
import { roomNameOf, roomNameProblem } from '../app/name-rules.ts'
import type { Skeleton } from '../conversation/same-names.ts'

export interface RoomListItem {
  readonly room: string
  /** The title on the page. */
  readonly title: string
  /** The other person, in a direct room. */
  readonly other?: Author
  /** Whether the other person is online, as far as known. */
  readonly present: boolean
  readonly unread: number
  readonly mentions: number
  /** Time of the last message, Unix milliseconds; 0 if unknown. */
  readonly lastAt: number
}

/** The offer for a name that is not in the list. */
export type Offer =
  | { readonly kind: 'open'; readonly room: string }
  | { readonly kind: 'problem'; readonly text: string }

/** The items that match a search; those that begin with it first. */
export function itemsFound(items: readonly RoomListItem[], search: string): readonly RoomListItem[] {
  const wanted = foldedTitle(roomNameOf(search.trim().replace(/^@/, '')))
  if (wanted === '') return items
  const starts = items.filter(({ title }) => foldedTitle(title).startsWith(wanted))
  const others = items.filter((item) => !starts.includes(item) && foldedTitle(item.title).includes(wanted))
  return [...starts, ...others]
}

/** Undefined if the search is empty or is a room in the list. */
export function offerFor(
  items: readonly RoomListItem[],
  search: string,
  maxChars?: number,
): Offer | undefined {
  const room = roomNameOf(search)
  if (room === '' || search.trim().startsWith('@') || items.some((item) => foldedRoom(item.room) === room))
    return undefined
  const problem = roomNameProblem(room, maxChars)
  return problem === undefined ? { kind: 'open', room } : { kind: 'problem', text: problem }
}

/** The room in the list that another name could be mistaken for. */
export function roomAlike(
  items: readonly RoomListItem[],
  name: string,
  skeleton: Skeleton | undefined,
): string | undefined {
  if (skeleton === undefined) return undefined
  const shape = skeleton(name)
  return items.find(({ room, other }) => other === undefined && room !== name && skeleton(room) === shape)
    ?.room
}

/** The people of direct conversations. */
export function othersOf(items: readonly RoomListItem[]): Author[] {
  return items.flatMap(({ other }) => other ?? [])
}

/** The number of unread messages in all rooms. */
export function unreadTotal(items: readonly RoomListItem[]): number {
  return items.reduce((sum, item) => sum + item.unread, 0)
}

/** The rooms to join at once: at most `max`, those with unread messages first. */
export function roomsToJoin(
  summaries: readonly { readonly room: string; readonly unread: number }[],
  max: number,
): string[] {
  const unreadFirst = summaries.toSorted((a, b) => Number(b.unread > 0) - Number(a.unread > 0))
  return unreadFirst.slice(0, max).map(({ room }) => room)
}

/** Without regard to case, accents and spaces. */
function foldedTitle(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase().replaceAll(/\s+/g, '-')
}
