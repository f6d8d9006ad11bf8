/**
 * Names of direct rooms: `dm:<userId>:<userId>`, the ids sorted. Such a room is open only to these two users;
 * chat/ enforces that. Pure; used by server and client.
 */
const PREFIX = 'dm:'
const DIRECT_ROOM = /^dm:([A-Za-z0-9_-]{1,28}):([A-Za-z0-9_-]{1,28})$/
const DIRECT_USER = /^[A-Za-z0-9_-]{1,28}$/

export function isDirect(room: string): boolean {
  return room.startsWith(PREFIX)
}

/** The two users of a well-formed direct room. Both are the same in a user's room for notes. */
export function directUsers(room: string): [string, string] | undefined {
  const [, first, second] = DIRECT_ROOM.exec(room) ?? []
  if (first === undefined || second === undefined || first > second) return undefined
  return [first, second]
}

/** @returns the room of two users, or nothing when one of the ids is not allowed in such a name */
export function directRoom(userId: string, otherId: string): string | undefined {
  if (!DIRECT_USER.test(userId) || !DIRECT_USER.test(otherId)) return undefined
  const [first, second] = userId <= otherId ? [userId, otherId] : [otherId, userId]
  return `${PREFIX}${first}:${second}`
}
