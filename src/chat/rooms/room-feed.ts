/**
 * One room on this worker: passes what the log publishes to the members connected here. Each member gets
 * every entry once and in order, or a `gap` event for what it was too slow for. Members that are joining or
 * slow do not hold up the others. Knows nothing of requests, and does no I/O of its own.
 */
import type { Socket } from 'socket.io'
import type { PresenceChange, RoomListener } from '../../wire/app.ts'
import { MEMBERS_SHOWN } from '../../wire/app.ts'
import type { ChatEvents } from '../../wire/chat.ts'
import type { Author, LogEntry } from '../../wire/entry.ts'
import { PresenceBacklog } from '../../wire/presence-backlog.ts'

/** Entries buffered for a joining member. What comes beyond becomes a gap. */
export const BUFFERED_MAX = 1_000

export type MemberState = 'joining' | 'live' | 'slow' | 'gone'

interface NewLog {
  readonly epoch: string
  readonly head: number
}

export interface Member {
  readonly socket: Socket
  readonly user: Author
  readonly feed: RoomFeed
  state: MemberState
  /** Joins under way. Entries are held back until each has been answered. */
  openJoins: number
  /** The last sequence number that was sent to it or covered by a gap. */
  sentUpTo: number
  /** Entries that came while it was joining; at most `BUFFERED_MAX`. */
  buffered: LogEntry[]
  readonly missedPresence: PresenceBacklog
  /** The present log, until the member has been told of it. */
  newLog: NewLog | undefined
  /** When it became slow, on the clock of `performance.now`. */
  slowSinceMs: number
}

export interface FeedOutput {
  /** @returns the sockets that were skipped because their clients are too slow */
  fanOut(sockets: Iterable<Socket>, event: string, payload: unknown): Socket[]
  /** The member gets nothing from now on, until `recover`. */
  onSlow(member: Member): void
  onRecovered(member: Member): void
  onDelivered(count: number): void
  onGap(): void
}

export class RoomFeed implements RoomListener {
  readonly room: string
  readonly #output: FeedOutput
  readonly #members = new Map<Socket, Member>()
  /** The last sequence number that the log has published to this feed; 0 before the first. */
  #head = 0

  constructor(room: string, output: FeedOutput) {
    this.room = room
    this.#output = output
  }

  /** Adds a member. It gets everything from now on, once `goLive` says from where. */
  add(socket: Socket, user: Author): Member {
    const member: Member = {
      socket,
      user,
      feed: this,
      state: 'joining',
      openJoins: 1,
      sentUpTo: 0,
      buffered: [],
      missedPresence: new PresenceBacklog(),
      newLog: undefined,
      slowSinceMs: 0,
    }
    this.#members.set(socket, member)
    return member
  }

  /** Holds entries back until `goLive` has been called once for each `holdBack` and `add`. */
  holdBack(member: Member): void {
    if (member.state === 'gone') return
    member.openJoins += 1
    member.state = 'joining'
  }

  /**
   * The member has everything up to `sentUpTo` of the log with this epoch. Sends it what has come since, and
   * from now on everything. If the room has another log now, the member is told so.
   */
  goLive(member: Member, sentUpTo: number, epoch?: string): void {
    if (member.state === 'gone') return
    if (member.newLog?.epoch === epoch) member.newLog = undefined
    member.sentUpTo = member.newLog?.head ?? sentUpTo
    member.openJoins -= 1
    if (member.openJoins > 0) return
    member.state = 'live'
    this.#sendNewLog([member])
    const buffered = member.buffered
    member.buffered = []
    for (const entry of buffered) this.#sendToOne(member, entry)
    this.#catchUp(member)
  }

  /** A slow member's client reads again: sends it a gap event and the present presence. */
  recover(member: Member): void {
    if (member.state !== 'slow') return
    member.state = 'live'
    this.#output.onRecovered(member)
    this.#sendNewLog([member])
    this.#catchUp(member)
  }

  remove(member: Member): void {
    member.state = 'gone'
    member.buffered = []
    this.#members.delete(member.socket)
  }

  /** Whether the user is here with any socket. */
  hasUser(userId: string): boolean {
    for (const member of this.#members.values()) {
      if (member.user.id === userId) return true
    }
    return false
  }

  entries(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#head = Math.max(this.#head, entry.seq)
      const recipients: Socket[] = []
      for (const member of this.#members.values()) {
        if (this.#accepts(member, entry)) recipients.push(member.socket)
      }
      this.#send(recipients, entry)
    }
  }

  /**
   * The log was replaced. Members are told and join again; a member that does not gets new entries anyway.
   */
  reset(epoch: string, head: number): void {
    this.#head = head
    const live: Member[] = []
    for (const member of this.#members.values()) {
      member.buffered = []
      member.newLog = { epoch, head }
      member.sentUpTo = head
      if (member.state === 'live') live.push(member)
    }
    this.#sendNewLog(live)
  }

  presence(change: PresenceChange): void {
    const recipients: Socket[] = []
    for (const member of this.#members.values()) {
      if (member.state === 'live') recipients.push(member.socket)
      else member.missedPresence.add(change)
    }
    this.#sendPresence(recipients, change)
  }

  /** @returns whether to send the entry to this member now. Buffers it for a joining member. */
  #accepts(member: Member, entry: LogEntry): boolean {
    if (member.state === 'joining') {
      if (member.buffered.length < BUFFERED_MAX) member.buffered.push(entry)
      return false
    }
    if (member.state !== 'live' || entry.seq <= member.sentUpTo) return false
    if (entry.seq > member.sentUpTo + 1) this.#sendGap(member, entry.seq - 1)
    member.sentUpTo = entry.seq
    return true
  }

  #sendToOne(member: Member, entry: LogEntry): void {
    if (this.#accepts(member, entry)) this.#send([member.socket], entry)
  }

  #send(sockets: Socket[], entry: LogEntry): void {
    if (sockets.length === 0) return
    const skipped = this.#output.fanOut(sockets, 'message', entry)
    for (const socket of skipped) {
      const member = this.#members.get(socket)
      if (member === undefined) continue
      member.sentUpTo = entry.seq - 1
      this.#markSlow(member)
    }
    this.#output.onDelivered(sockets.length - skipped.length)
  }

  #sendPresence(sockets: Socket[], change: PresenceChange): void {
    if (sockets.length === 0) return
    for (const socket of this.#output.fanOut(sockets, 'presence', presencePayload(this.room, change))) {
      const member = this.#members.get(socket)
      if (member === undefined) continue
      member.missedPresence.add(change)
      this.#markSlow(member)
    }
  }

  /** @param members all with the same `newLog`, or all without one */
  #sendNewLog(members: readonly Member[]): void {
    const [newLog] = members.map((member) => member.newLog)
    if (newLog === undefined) return
    const payload: ChatEvents['epoch'] = { room: this.room, ...newLog }
    const sockets = members.map(({ socket }) => socket)
    const skipped = new Set(this.#output.fanOut(sockets, 'epoch', payload))
    for (const member of members) {
      if (skipped.has(member.socket)) this.#markSlow(member)
      else member.newLog = undefined
    }
  }

  #markSlow(member: Member): void {
    member.state = 'slow'
    this.#output.onSlow(member)
  }

  /** Sends a gap event for what was published and not sent, and the missed presence changes. */
  #catchUp(member: Member): void {
    if (member.state !== 'live') return
    if (member.sentUpTo < this.#head) this.#sendGap(member, this.#head)
    const presence = member.missedPresence.take()
    if (presence !== undefined) this.#sendPresence([member.socket], presence)
  }

  #sendGap(member: Member, to: number): void {
    member.socket.emit('gap', { room: this.room, from: member.sentUpTo + 1, to })
    member.sentUpTo = to
    this.#output.onGap()
  }
}

/** In large rooms only the count. */
function presencePayload(room: string, change: PresenceChange): ChatEvents['presence'] {
  const payload: ChatEvents['presence'] = { room, count: change.count }
  if (change.count > MEMBERS_SHOWN) return payload
  if (change.joined.length > 0) payload.joined = change.joined
  if (change.left.length > 0) payload.left = change.left
  return payload
}
