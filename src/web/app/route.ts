/**
 * The page's addresses. The open room is in the fragment, so that links can be shared and "back" works. Pure.
 */

const ROOM = /^#\/room\/(.+)$/
const TOKEN = /^#(?:.*&)?token=([^&]+)/

/** The room in an address. Its name is not validated here. */
export function roomOfHash(hash: string): string | undefined {
  const [, encoded] = ROOM.exec(hash) ?? []
  return encoded === undefined ? undefined : decoded(encoded)
}

export function hashOfRoom(room: string): string {
  return `#/room/${encodeURIComponent(room).replaceAll('%3A', ':')}`
}

/** The token in a sign-in link. */
export function tokenOfHash(hash: string): string | undefined {
  const [, encoded] = TOKEN.exec(hash) ?? []
  return encoded === undefined ? undefined : decoded(encoded)
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    // Not an address of this page.
    return undefined
  }
}
