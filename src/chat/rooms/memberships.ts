/**
 * Who of this worker is in which room: joining, leaving, and being gone, in whatever order these come. A membership
 * enters presence once, and leaves it once if it may have entered. Sends no messages; the room's feed does.
 */
import type { Rooms } from '../../wire/app.ts'
import type { ChatAnswers, ChatRequest } from '../../wire/chat.ts'
import type { Author } from '../../wire/entry.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { ChatMetrics } from '../metrics.ts'
import { resume } from '../requests/pages.ts'
import type { RecentTracks } from '../requests/tracked-rooms.ts'
import type { Session } from '../session.ts'
import type { Member } from './room-feed.ts'
import type { FeedHold, Feeds } from './room-feeds.ts'

export interface Membership {
  readonly room: string
  readonly session: Session
  readonly member: Member
  readonly hold: FeedHold
  /** Its name in presence, from asking to be counted to leaving. */
  readonly presenceSessionId: string
  state: 'new' | 'entering' | 'entered'
}

export interface Joined {
  answer: ChatAnswers['room:join']
  /** To be called right after the answer has been sent: from then on the member gets what comes. */
  afterwards: () => void
}

export interface MembershipsOptions {
  rooms: Rooms
  feeds: Feeds
  tracks: RecentTracks
  /** Whether a user may come back: one who never will has no rooms of its own. */
  lasts: (userId: string) => boolean
  roomsPerSocket: number
  joins: ChatMetrics['joins']
  untracked: ChatMetrics['untracked']
}

/** Socket.IO's own rooms are told apart from its socket ids by this. */
export function channelOf(room: string): string {
  return `room:${room}`
}

export class Memberships {
  readonly #options: MembershipsOptions
  #lastPresenceSession = 0

  constructor(options: MembershipsOptions) {
    this.#options = options
  }

  /** @throws `not_joined`. A join that was asked for before is waited for. */
  async require(session: Session, room: string): Promise<void> {
    // Why the join failed is its own caller's to know.
    await session.joining.get(room)?.catch(() => undefined)
    if (session.memberships.get(room)?.state !== 'entered') {
      throw new RookeryError('not_joined', 'join the room first')
    }
  }

  async join(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const { room } = asked
    const joining = session.pageInTurn(() => this.#join(session, asked))
    session.joining.set(room, joining)
    try {
      return await joining
    } finally {
      if (session.joining.get(room) === joining) session.joining.delete(room)
    }
  }

  /**
   * Also takes the room from the user's own, joined or not, unless another socket of the user on this worker is still
   * in it: leaving in one tab is not leaving in all.
   */
  async leave(session: Session, room: string): Promise<void> {
    await session.inTurn(async () => {
      const { feeds, tracks, rooms, lasts } = this.#options
      const membership = session.memberships.get(room)
      if (membership !== undefined) this.#remove(membership)
      await session.socket.leave(channelOf(room))
      if (!lasts(session.user.id) || feeds.hasUser(room, session.user.id)) return
      tracks.forget(session.user.id, room)
      await rooms.forgetRoom(session.user.id, room)
    })
  }

  /** The session's socket is gone; its rooms stay the user's own. */
  drop(session: Session): void {
    for (const membership of session.memberships.values()) this.#remove(membership)
  }

  async #join(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const present = session.memberships.get(asked.room)
    return present === undefined ? this.#joinFirst(session, asked) : this.#joinAgain(present, asked)
  }

  async #joinFirst(session: Session, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const membership = this.#admit(session, asked.room)
    try {
      const [members] = await Promise.all([
        this.#enter(membership),
        this.#makeOwn(session, asked.room),
        session.socket.join(channelOf(asked.room)),
      ])
      return await this.#catchUp(membership, asked, members)
    } catch (error) {
      this.#remove(membership)
      await session.socket.leave(channelOf(asked.room))
      throw error
    }
  }

  /** A store that takes nothing for now keeps nobody from reading: a later join makes the room the user's own. */
  async #makeOwn(session: Session, room: string): Promise<void> {
    if (!this.#options.lasts(session.user.id)) return
    try {
      await this.#options.rooms.trackRoom(session.user.id, room)
    } catch (error) {
      if (!(error instanceof RookeryError) || error.code !== 'unavailable') throw error
      this.#options.untracked.inc()
    }
  }

  async #joinAgain(membership: Membership, asked: ChatRequest<'room:join'>): Promise<Joined> {
    const { member, hold, session } = membership
    hold.feed.hold(member)
    try {
      const [{ members }] = await Promise.all([
        this.#options.rooms.members(asked.room),
        session.socket.join(channelOf(asked.room)),
      ])
      return await this.#catchUp(membership, asked, members)
    } catch (error) {
      hold.feed.goLive(member, member.sentUpTo)
      throw error
    }
  }

  #admit(session: Session, room: string): Membership {
    const { roomsPerSocket, feeds } = this.#options
    if (!session.socket.connected) throw gone()
    if (session.memberships.size >= roomsPerSocket) {
      throw new RookeryError('forbidden', `a connection may be in ${roomsPerSocket} rooms at once`)
    }
    const hold = feeds.hold(room)
    const member = hold.feed.add(session.socket, session.user)
    this.#lastPresenceSession += 1
    const presenceSessionId = `${session.socket.id}.${this.#lastPresenceSession}`
    const membership: Membership = { room, session, member, hold, presenceSessionId, state: 'new' }
    session.memberships.set(room, membership)
    return membership
  }

  /** A refusal that came too late may have been none: whoever asked to be counted is discounted in any case. */
  async #enter(membership: Membership): Promise<Author[]> {
    const { room, session, member, hold, presenceSessionId } = membership
    await hold.opened
    if (member.state === 'gone') throw gone()
    membership.state = 'entering'
    const { members } = await this.#options.rooms.enter(room, session.user, presenceSessionId)
    membership.state = 'entered'
    if (isGone(member)) throw gone()
    return members
  }

  async #catchUp(
    membership: Membership,
    asked: ChatRequest<'room:join'>,
    members: Author[],
  ): Promise<Joined> {
    const { member, hold, room } = membership
    const page = await resume(this.#options.rooms, room, asked)
    if (member.state === 'gone') throw gone()
    const { epoch, head, reset, messages, more } = page
    return {
      answer: { room, epoch, head, reset, messages, more, members },
      afterwards: () => {
        hold.feed.goLive(member, head, epoch)
        this.#options.joins.inc()
      },
    }
  }

  #remove(membership: Membership): void {
    const { room, session, member, hold, presenceSessionId, state } = membership
    if (member.state === 'gone') return
    hold.feed.remove(member)
    session.memberships.delete(room)
    // In this order on the link: a session that is still being asked for ends as soon as it has begun.
    if (state !== 'new') this.#options.rooms.leave(room, session.user.id, presenceSessionId)
    hold.release()
  }
}

function isGone({ state }: Member): boolean {
  return state === 'gone'
}

function gone(): RookeryError {
  return new RookeryError('unavailable', 'the connection is gone')
}
