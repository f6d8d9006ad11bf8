/**
 * The order of the room list. It changes when something arrives in another room, never because a room is opened: what
 * the user has just clicked stays where it is. Renders nothing.
 */
import type { RoomListItem } from './room-list-model.ts'

export interface RoomSections {
  readonly rooms: readonly RoomListItem[]
  readonly direct: readonly RoomListItem[]
}

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** In a longer list new messages at its end would be out of sight. */
const LONG_LIST_MIN = 12

export class RoomOrder {
  /** The rooms that come first in a long list. */
  #first: ReadonlySet<string> = new Set()
  /** When the newest message was written, by direct room. */
  #lastAt: ReadonlyMap<string, number> = new Map()

  /**
   * Rooms by name, so that they keep their place; in a long list those with unread messages come first. Direct
   * conversations by the time of the last message.
   * @param open the open room
   */
  sectionsOf(items: readonly RoomListItem[], open: string | undefined): RoomSections {
    const rooms = items.filter(({ other }) => other === undefined)
    const direct = items.filter(({ other }) => other !== undefined)
    this.#keepFirst(rooms, open)
    this.#keepTimes(direct, open)
    const first = rooms.length > LONG_LIST_MIN ? this.#first : new Set()
    const place = ({ room }: RoomListItem) => (first.has(room) ? 0 : 1)
    const time = ({ room }: RoomListItem) => this.#lastAt.get(room) ?? 0
    return {
      rooms: rooms.toSorted((a, b) => place(a) - place(b) || names.compare(a.title, b.title)),
      direct: direct.toSorted((a, b) => time(b) - time(a) || names.compare(a.title, b.title)),
    }
  }

  /** Rooms that were read stay among the first until there are unread messages in another room. */
  #keepFirst(rooms: readonly RoomListItem[], open: string | undefined): void {
    const unread = rooms.filter((item) => item.unread > 0 && item.room !== open).map(({ room }) => room)
    if (unread.every((room) => this.#first.has(room))) return
    const kept = open !== undefined && this.#first.has(open) ? [open] : []
    this.#first = new Set([...unread, ...kept])
  }

  /** The time of the newest message becomes known when a conversation is opened. This alone moves nothing. */
  #keepTimes(direct: readonly RoomListItem[], open: string | undefined): void {
    const isNews = ({ room, lastAt }: RoomListItem) => {
      const known = this.#lastAt.get(room)
      return known === undefined || (known !== lastAt && (known > 0 || room !== open))
    }
    if (direct.some(isNews)) this.#lastAt = new Map(direct.map(({ room, lastAt }) => [room, lastAt]))
  }
}
