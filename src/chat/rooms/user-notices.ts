/**
 * What a user is told wherever that user is connected, whether a connection has joined the room or not: a direct message
 * for one who never joined, and how far the user has read elsewhere. Ephemeral: who is not connected finds it in `rooms`.
 * Only direct rooms are told of in this way; who wants to hear of another room joins it.
 */
import type { Server } from 'socket.io'
import type { ChatEvents } from '../../wire/chat.ts'
import { directUsers } from '../../wire/chat-direct.ts'
import type { Author } from '../../wire/entry.ts'
import type { Session } from '../session.ts'
import { channelOf } from './memberships.ts'

/** All of a user's sockets, on every worker. */
function userChannel(userId: string): string {
  return `user:${userId}`
}

export class Notices {
  readonly #io: Pick<Server, 'to'>

  constructor(io: Pick<Server, 'to'>) {
    this.#io = io
  }

  /** From the moment that this resolves, the session's user is told on its socket. */
  async reach({ socket, user }: Session): Promise<void> {
    if (socket.connected) await socket.join(userChannel(user.id))
  }

  /**
   * A text is stored. Told of one that came again as well: the worker that took it first may have died before it told
   * anybody, and who has heard of this number passes over it.
   */
  text(room: string, from: Author, seq: number): void {
    const users = directUsers(room)
    if (users === undefined) return
    const payload: ChatEvents['room'] = { room, head: seq, from }
    this.#io.to(users.map(userChannel)).except(channelOf(room)).emit('room', payload)
  }

  /** A user has read: everybody in the room is told, and the user everywhere. */
  read(room: string, userId: string, seq: number): void {
    const payload: ChatEvents['read'] = { room, user: { id: userId }, seq }
    this.#io.to([channelOf(room), userChannel(userId)]).emit('read', payload)
  }
}
