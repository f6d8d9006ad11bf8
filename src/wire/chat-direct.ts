/**
 * Direct rooms: `dm:<userId>:<userId>`, the ids sorted, open to those two alone. Pure; both sides of the wire use it.
 * Who may enter is decided in chat/; this file only reads and makes the names.
 */
const PREFIX = 'dm:'
const DIRECT_ROOM = /^dm:([A-Za-z0-9_-]{1,28}):([A-Za-z0-9_-]{1,28})$/
const DIRECT_USER = /^[A-Za-z0-9_-]{1,28}$/

export function isDirect(room: string): boolean {
  return room.startsWith(PREFIX)
}

/** The two users of a well-formed direct room; both are the same in a room that a user keeps for notes. */
export function directUsers(room: string): [string, string] | undefined {
  const [, first, second] = DIRECT_ROOM.exec(room) ?? []
  if (first === undefined || second === undefined || first > second) return undefined
  return [first, second]
}

/** The room of two users, or nothing when one of the ids can't stand in such a name. */
export function directRoom(userId: string, otherId: string): string | undefined {
  if (!DIRECT_USER.test(userId) || !DIRECT_USER.test(otherId)) return undefined
  const [first, second] = userId <= otherId ? [userId, otherId] : [otherId, userId]
  return `${PREFIX}${first}:${second}`
}
