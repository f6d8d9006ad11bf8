/** The page's addresses: which room is open is in the fragment, so that links can be shared and "back" works. Pure. */

const ROOM = /^#\/room\/(.+)$/
const TOKEN = /^#(?:.*&)?token=([^&]+)/

/** The room that an address opens; whether there may be such a room is checked elsewhere. */
export function roomOfHash(hash: string): string | undefined {
  const [, encoded] = ROOM.exec(hash) ?? []
  return encoded === undefined ? undefined : decoded(encoded)
}

export function hashOfRoom(room: string): string {
  return `#/room/${encodeURIComponent(room).replaceAll('%3A', ':')}`
}

/** A token that somebody was sent here with. */
export function tokenOfHash(hash: string): string | undefined {
  const [, encoded] = TOKEN.exec(hash) ?? []
  return encoded === undefined ? undefined : decoded(encoded)
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    // Not written by this page; there is nothing in it to be opened.
    return undefined
  }
}
