/** The list of rooms as it is shown: in which order, what is found in it, what a search for something new offers. Pure. */
import type { Author } from '../../client/index.ts'
import { roomNameOf, roomNameProblem } from '../app/name-rules.ts'

export interface RoomLine {
  readonly room: string
  /** What it is called on the page. */
  readonly title: string
  /** The other person, in a direct room. */
  readonly other?: Author
  /** The other person is there, as far as is known. */
  readonly present: boolean
  readonly unread: number
  readonly mentions: number
  /** When something was last said in it, in Unix milliseconds; 0 when that is not known. */
  readonly lastAt: number
}

export interface RoomSections {
  readonly rooms: readonly RoomLine[]
  readonly direct: readonly RoomLine[]
}

/** What to do with a name that is no room in the list. */
export type Offer =
  | { readonly kind: 'open'; readonly room: string }
  | { readonly kind: 'problem'; readonly text: string }

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** A list that is longer than this hides what is new at its end. */
const LONG_LIST_MIN = 12

/**
 * Rooms by name, so that they stay where they are; in a long list those with something unread come first. Conversations
 * with people by who said something last.
 */
export function sectionsOf(lines: readonly RoomLine[]): RoomSections {
  const rooms = lines.filter(({ other }) => other === undefined)
  const direct = lines.filter(({ other }) => other !== undefined)
  const isLong = rooms.length > LONG_LIST_MIN
  const unreadFirst = (a: RoomLine, b: RoomLine) => Number(b.unread > 0) - Number(a.unread > 0)
  return {
    rooms: rooms.toSorted((a, b) => (isLong ? unreadFirst(a, b) : 0) || names.compare(a.title, b.title)),
    direct: direct.toSorted((a, b) => b.lastAt - a.lastAt || names.compare(a.title, b.title)),
  }
}

/** Those that a search means; those that begin with it first. */
export function linesFound(lines: readonly RoomLine[], search: string): readonly RoomLine[] {
  const wanted = folded(roomNameOf(search.trim().replace(/^@/, '')))
  if (wanted === '') return lines
  const starts = lines.filter(({ title }) => folded(title).startsWith(wanted))
  const others = lines.filter((line) => !starts.includes(line) && folded(line.title).includes(wanted))
  return [...starts, ...others]
}

/** Nothing when the search is empty, or is a room that is in the list already. */
export function offerFor(lines: readonly RoomLine[], search: string, maxChars?: number): Offer | undefined {
  const room = roomNameOf(search)
  if (room === '' || search.trim().startsWith('@') || lines.some((line) => line.room === room))
    return undefined
  const problem = roomNameProblem(room, maxChars)
  return problem === undefined ? { kind: 'open', room } : { kind: 'problem', text: problem }
}

/** What the page's title says of all that is unread. */
export function unreadTotal(lines: readonly RoomLine[]): number {
  return lines.reduce((sum, line) => sum + line.unread, 0)
}

/** Those that are joined at once: as many as may be, what is unread before the rest. */
export function roomsToJoin(
  summaries: readonly { readonly room: string; readonly unread: number }[],
  max: number,
): string[] {
  const unreadFirst = summaries.toSorted((a, b) => Number(b.unread > 0) - Number(a.unread > 0))
  return unreadFirst.slice(0, max).map(({ room }) => room)
}

function folded(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase().replaceAll(/\s+/g, '-')
}
