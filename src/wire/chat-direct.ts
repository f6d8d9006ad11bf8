/**
 * Names of direct rooms: `dm:<user>:<user>`, in order. Such a room is open only to these two users; chat/
 * enforces that. Pure; used by server and client.
 *
 * A user id of `A-Z a-z 0-9 _ -` stands as it is. Any other is a dot and its UTF-8 in base64url. So each pair
 * of users has exactly one name, and a name tells its users without a look into a store.
 */
const PREFIX = 'dm:'
const DIRECT_ROOM = /^dm:(\.?[A-Za-z0-9_-]+):(\.?[A-Za-z0-9_-]+)$/
const PLAIN = /^[A-Za-z0-9_-]+$/
const LONE_SURROGATE = /\p{Cs}/u
export const USER_ID_MAX_BYTES = 255
/** Two ids of 255 bytes in base64url. */
const NAME_MAX_CHARS = 686

export function isDirect(room: string): boolean {
  return room.startsWith(PREFIX)
}

/** The two users of a well-formed direct room. Both are the same in a user's room for notes. */
export function directUsers(room: string): [string, string] | undefined {
  if (!isDirect(room) || room.length > NAME_MAX_CHARS) return undefined
  const [, first = '', second = ''] = DIRECT_ROOM.exec(room) ?? []
  if (first === '' || first > second) return undefined
  const one = decoded(first)
  const other = decoded(second)
  return one === undefined || other === undefined ? undefined : [one, other]
}

/** @returns the room of two users, or nothing when one of them is no id of 1-255 bytes */
export function directRoom(userId: string, otherId: string): string | undefined {
  const one = encoded(userId)
  const other = encoded(otherId)
  if (one === undefined || other === undefined) return undefined
  const [first, second] = one <= other ? [one, other] : [other, one]
  return `${PREFIX}${first}:${second}`
}

function encoded(userId: string): string | undefined {
  if (userId.length === 0 || userId.length > USER_ID_MAX_BYTES || LONE_SURROGATE.test(userId))
    return undefined
  if (PLAIN.test(userId)) return userId
  const bytes = new TextEncoder().encode(userId)
  if (bytes.length > USER_ID_MAX_BYTES) return undefined
  const base64 = btoa(String.fromCharCode(...bytes))
  return `.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** Nothing when this is not the one way to write that id. */
function decoded(part: string): string | undefined {
  const userId = part.startsWith('.') ? decodedBase64(part.slice(1)) : part
  return userId !== undefined && encoded(userId) === part ? userId : undefined
}

function decodedBase64(base64url: string): string | undefined {
  try {
    const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
