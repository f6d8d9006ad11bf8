/**
 * Which sessions of this worker are in which rooms. Handles joins, leaves and disconnects in any order. A
 * membership enters presence once, and leaves it once if it may have entered. The room's feed sends the
 * messages.
 */
import type { Rooms } from '../../wire/app.ts'
import type { ChatAnswers, ChatRequest } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { ChatMetrics } from '../metrics.ts'
import type { Session } from '../session.ts'
import type { Membership } from './membership.ts'
import { resume } from './pages.ts'
import type { Member } from './room-feed.ts'
import type { RoomFeeds } from './room-feeds.ts'
import type { TrackedRooms } from './tracked-rooms.ts'

export interface Joined {
  answer: ChatAnswers['room:join']
  /** Call right after the answer was sent: from then on the member gets entries. */
  onSent: () => void
}

export interface MembershipsOptions {
  rooms: Rooms
  feeds: RoomFeeds
  trackedRooms: TrackedRooms
  /** Whether a user can come back: others have no rooms of their own. */
  isPersistentUser: (userId: string) => boolean
  roomsPerSocket: number
  joins: ChatMetrics['joins']
  untracked: ChatMetrics['untracked']
}

/** The Socket.IO room. The prefix keeps it apart from socket ids, which are room names too. */
export function channelOf(room: string): string {
  return `room:${room}`
}

export class Memberships {
  readonly #options: MembershipsOptions
  #lastPresenceSession = 0

  constructor(options: MembershipsOptions) {
    this.#options = options
  }

  /** Waits for a join that is under way. @throws `not_joined` */
  async require(session: Session, room: string): Promise<void> {
    // The join's own caller handles its failure.
    await session.joining.get(room)?.catch(() => undefined)
    if (session.memberships.get(room)?.state !== 'entered') {
      throw new RookeryError('not_joined', 'join the room first')
    }
  }

  async join(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const { room } = asked
    const joining = session.runPageRequest(() => this.#join(session, asked))
    session.joining.set(room, joining)
    try {
      return await joining
    } finally {
      if (session.joining.get(room) === joining) session.joining.delete(room)
    }
  }

  /**
   * Also removes the room from the user's own rooms, even if it was not joined. Not if another socket of the
   * user on this worker is in it: leaving in one tab is not leaving in all.
   */
  async leave(session: Session, room: string): Promise<void> {
    await session.runInOrder(async () => {
      const { feeds, trackedRooms, isPersistentUser } = this.#options
      const membership = session.memberships.get(room)
      if (membership !== undefined) this.#remove(session, membership)
      await session.socket.leave(channelOf(room))
      if (!isPersistentUser(session.user.id) || feeds.hasUser(room, session.user.id)) return
      await trackedRooms.forget(session.user.id, room)
    })
  }

  /** The session's socket is gone. Its rooms stay the user's own. */
  drop(session: Session): void {
    for (const membership of session.memberships.values()) this.#remove(session, membership)
  }

  async #join(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const existing = session.memberships.get(asked.room)
    return existing === undefined ? this.#joinFirst(session, asked) : this.#joinAgain(existing, asked)
  }

  async #joinFirst(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const membership = this.#admit(session, asked.room)
    try {
      const [members] = await Promise.all([
        this.#enter(membership),
        this.#trackRoom(session, asked.room),
        session.socket.join(channelOf(asked.room)),
      ])
      return await this.#catchUp(membership, asked, members)
    } catch (error) {
      this.#remove(session, membership)
      await session.socket.leave(channelOf(asked.room))
      throw error
    }
  }

  /**
   * Makes the room one of the user's own. A store that refuses writes does not fail the join: a later join
   * does it.
   */
  async #trackRoom(session: Session, room: string): Promise<void> {
    if (!this.#options.isPersistentUser(session.user.id)) return
    try {
      await this.#options.rooms.trackRoom(session.user.id, room)
    } catch (error) {
      if (!(error instanceof RookeryError) || error.code !== 'unavailable') throw error
      this.#options.untracked.inc()
    }
  }

  async #joinAgain(membership: Membership, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const { member, feedHandle } = membership
    feedHandle.feed.holdBack(member)
    try {
      const [{ members }] = await Promise.all([
        this.#options.rooms.members(asked.room),
        member.socket.join(channelOf(asked.room)),
      ])
      return await this.#catchUp(membership, asked, members)
    } catch (error) {
      feedHandle.feed.goLive(member, member.sentUpTo)
      throw error
    }
  }

  #admit(session: Session, room: string): Membership {
    const { roomsPerSocket, feeds } = this.#options
    if (!session.socket.connected) throw gone()
    if (session.memberships.size >= roomsPerSocket) {
      throw new RookeryError('forbidden', `a connection may be in ${roomsPerSocket} rooms at once`)
    }
    const feedHandle = feeds.acquire(room)
    const member = feedHandle.feed.add(session.socket, session.user)
    this.#lastPresenceSession += 1
    const presenceSessionId = `${session.socket.id}.${this.#lastPresenceSession}`
    const membership: Membership = { room, member, feedHandle, presenceSessionId, state: 'new' }
    session.memberships.set(room, membership)
    return membership
  }

  /**
   * Sets `entering` first: even if `enter` rejects, the primary may have counted the session, so it has to
   * leave.
   */
  async #enter(membership: Membership): Promise<Author[]> {
    const { room, member, feedHandle, presenceSessionId } = membership
    await feedHandle.opened
    if (member.state === 'gone') throw gone()
    membership.state = 'entering'
    const { members } = await this.#options.rooms.enter(room, member.user, presenceSessionId)
    membership.state = 'entered'
    if (isGone(member)) throw gone()
    return members
  }

  async #catchUp(
    membership: Membership,
    asked: ChatRequest<'room:join'>,
    members: Author[],
  ): Promise<Joined> {
    const { member, feedHandle, room } = membership
    const page = await resume(this.#options.rooms, room, asked)
    if (member.state === 'gone') throw gone()
    const { epoch, head, reset, messages, more } = page
    return {
      answer: { room, epoch, head, reset, messages, more, members },
      onSent: () => {
        feedHandle.feed.goLive(member, head, epoch)
        this.#options.joins.inc()
      },
    }
  }

  #remove(session: Session, membership: Membership): void {
    const { room, member, feedHandle, presenceSessionId, state } = membership
    if (member.state === 'gone') return
    feedHandle.feed.remove(member)
    session.memberships.delete(room)
    // Enter and leave keep their order on the link, so an `enter` that is under way is undone.
    if (state !== 'new') this.#options.rooms.leave(room, member.user.id, presenceSessionId)
    feedHandle.release()
  }
}

function isGone({ state }: Member): boolean {
  return state === 'gone'
}

function gone(): RookeryError {
  return new RookeryError('unavailable', 'the connection is gone')
}
