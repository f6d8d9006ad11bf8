/** Access to rooms. A direct room is open to its two users only, any other room to everybody. */
import { directUsers } from '../../wire/chat-direct.ts'
import { RookeryError } from '../../wire/errors.ts'

/** @throws `forbidden` */
export function checkAccess(room: string, userId: string): void {
  const users = directUsers(room)
  if (users !== undefined && !users.includes(userId)) {
    throw new RookeryError('forbidden', 'a direct room is open to its two users alone')
  }
}
