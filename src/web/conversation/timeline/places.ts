/** Where the user was reading in each room, stored for the tab. Nothing is stored for a room that was left at its end. */

export interface Place {
  /** Sequence number of the message at the top. */
  readonly seq: number
  /** How much of it was above the top, in pixels. */
  readonly offset: number
}

const PREFIX = 'rookery.place.'

export function placeIn(room: string): Place | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(PREFIX + room) ?? 'null')
    return isPlace(value) ? value : undefined
  } catch {
    // No storage, or not written by this page: the room opens at its end.
    return undefined
  }
}

export function keepPlace(room: string, place: Place | undefined): void {
  try {
    if (place === undefined) sessionStorage.removeItem(PREFIX + room)
    else sessionStorage.setItem(PREFIX + room, JSON.stringify(place))
  } catch {
    // No storage, or it is full: the room opens at its end the next time.
  }
}

function isPlace(value: unknown): value is Place {
  if (typeof value !== 'object' || value === null) return false
  const { seq, offset } = value as Partial<Record<keyof Place, unknown>>
  return Number.isSafeInteger(seq) && Number.isFinite(offset)
}
