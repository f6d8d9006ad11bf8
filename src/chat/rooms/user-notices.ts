/**
 * Notifies all connections of a user, whether they have joined the room or not: of messages in direct rooms,
 * and of what the user has read on another connection. Ephemeral: a user without a connection finds the same
 * in `rooms` later. For messages in other rooms a connection has to join.
 */
import type { Namespace } from 'socket.io'
import type { ChatEvents } from '../../wire/chat.ts'
import { directUsers } from '../../wire/chat-direct.ts'
import type { Author } from '../../wire/entry.ts'
import type { Session } from '../session.ts'
import { channelOf } from './memberships.ts'

/** All of a user's sockets, on every worker. */
function userChannel(userId: string): string {
  return `user:${userId}`
}

export class UserNotices {
  readonly #io: Pick<Namespace, 'to'>

  constructor(io: Pick<Namespace, 'to'>) {
    this.#io = io
  }

  /** Once this resolves, the session's socket gets the notices of its user. */
  async subscribe({ socket, user }: Session): Promise<void> {
    if (socket.connected) await socket.join(userChannel(user.id))
  }

  /**
   * Announces a stored text in a direct room, a duplicate too: the worker that stored it may have died before
   * it announced it. Clients ignore a number that they know.
   */
  text(room: string, from: Author, seq: number): void {
    const users = directUsers(room)
    if (users === undefined) return
    const payload: ChatEvents['room'] = { room, head: seq, from }
    this.#io.to(users.map(userChannel)).except(channelOf(room)).emit('room', payload)
  }

  /** Announces a read marker to the room and to all connections of the user. */
  read(room: string, userId: string, seq: number): void {
    const payload: ChatEvents['read'] = { room, user: { id: userId }, seq }
    this.#io.to([channelOf(room), userChannel(userId)]).emit('read', payload)
  }
}
