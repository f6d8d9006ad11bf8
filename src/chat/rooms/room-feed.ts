/**
 * One room on this worker: hands what the log publishes to the members that are connected here, to each member every
 * entry once and in order, or a `gap` in place of what it was too slow for. Members that are still joining, and slow
 * ones, are waited for without holding up the others. Knows nothing of requests, and does no I/O of its own.
 */
import type { Socket } from 'socket.io'
import type { PresenceChange, RoomListener } from '../../wire/app.ts'
import { MEMBERS_SHOWN } from '../../wire/app.ts'
import type { ChatEvents } from '../../wire/chat.ts'
import type { Author, LogEntry } from '../../wire/entry.ts'
import { PresenceBacklog } from '../../wire/presence-backlog.ts'

/** What a joining member is owed at most; past it the rest becomes a gap. */
export const HELD_MAX = 1_000

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
  /** Joins under way: each holds back what comes until its answer has been sent. */
  holds: number
  /** Everything up to here has been sent to it, or told as a gap. */
  sentUpTo: number
  /** Entries that came while it was joining, at most `HELD_MAX`. */
  held: LogEntry[]
  readonly missedPresence: PresenceBacklog
  /** The log that there is now, as long as the member has not been told of it. */
  newLog: NewLog | undefined
  /** Since when it has been slow, on `performance.now`'s clock. */
  slowSinceMs: number
}

export interface Outlet {
  /** @returns the sockets that were passed over, as their clients are too slow */
  fanOut(sockets: Iterable<Socket>, event: string, payload: unknown): Socket[]
  /** From now on nothing is sent to this member, until `recover`. */
  onSlow(member: Member): void
  onRecovered(member: Member): void
  onDelivered(count: number): void
  onGap(): void
}

export class RoomFeed implements RoomListener {
  readonly room: string
  readonly #outlet: Outlet
  readonly #members = new Map<Socket, Member>()
  /** The newest entry that the log has published to this feed; 0 before the first. */
  #head = 0

  constructor(room: string, outlet: Outlet) {
    this.room = room
    this.#outlet = outlet
  }

  /** Adds a member that is owed everything from now on, once `goLive` says from where. */
  add(socket: Socket, user: Author): Member {
    const member: Member = {
      socket,
      user,
      feed: this,
      state: 'joining',
      holds: 1,
      sentUpTo: 0,
      held: [],
      missedPresence: new PresenceBacklog(),
      newLog: undefined,
      slowSinceMs: 0,
    }
    this.#members.set(socket, member)
    return member
  }

  /** Holds back what comes until `goLive` was called as often as this, `add` included. */
  hold(member: Member): void {
    if (member.state === 'gone') return
    member.holds += 1
    member.state = 'joining'
  }

  /**
   * The member has everything up to `sentUpTo` of the log named `epoch`: it gets what has come since, and from now on what
   * comes. When that is not the log any more, it is told so.
   */
  goLive(member: Member, sentUpTo: number, epoch?: string): void {
    if (member.state === 'gone') return
    if (member.newLog?.epoch === epoch) member.newLog = undefined
    member.sentUpTo = member.newLog?.head ?? sentUpTo
    member.holds -= 1
    if (member.holds > 0) return
    member.state = 'live'
    this.#tellNewLog([member])
    const held = member.held
    member.held = []
    for (const entry of held) this.#toOne(member, entry)
    this.#catchUp(member)
  }

  /** A slow member's client reads again: it is told what it missed. */
  recover(member: Member): void {
    if (member.state !== 'slow') return
    member.state = 'live'
    this.#outlet.onRecovered(member)
    this.#tellNewLog([member])
    this.#catchUp(member)
  }

  remove(member: Member): void {
    member.state = 'gone'
    member.held = []
    this.#members.delete(member.socket)
  }

  /** Whether the user is here, with whichever socket. */
  hasUser(userId: string): boolean {
    for (const member of this.#members.values()) {
      if (member.user.id === userId) return true
    }
    return false
  }

  entries(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#head = Math.max(this.#head, entry.seq)
      const due: Socket[] = []
      for (const member of this.#members.values()) {
        if (this.#takes(member, entry)) due.push(member.socket)
      }
      this.#send(due, entry)
    }
  }

  /** What members have is of no log any more. They are told, and join again; one that does not gets what comes. */
  reset(epoch: string, head: number): void {
    this.#head = head
    const live: Member[] = []
    for (const member of this.#members.values()) {
      member.held = []
      member.newLog = { epoch, head }
      member.sentUpTo = head
      if (member.state === 'live') live.push(member)
    }
    this.#tellNewLog(live)
  }

  presence(change: PresenceChange): void {
    const due: Socket[] = []
    for (const member of this.#members.values()) {
      if (member.state === 'live') due.push(member.socket)
      else member.missedPresence.add(change)
    }
    this.#sendPresence(due, change)
  }

  /** Whether the entry goes to this member now. A joining one's is put aside. */
  #takes(member: Member, entry: LogEntry): boolean {
    if (member.state === 'joining') {
      if (member.held.length < HELD_MAX) member.held.push(entry)
      return false
    }
    if (member.state !== 'live' || entry.seq <= member.sentUpTo) return false
    if (entry.seq > member.sentUpTo + 1) this.#tellGap(member, entry.seq - 1)
    member.sentUpTo = entry.seq
    return true
  }

  #toOne(member: Member, entry: LogEntry): void {
    if (this.#takes(member, entry)) this.#send([member.socket], entry)
  }

  #send(sockets: Socket[], entry: LogEntry): void {
    if (sockets.length === 0) return
    const passedOver = this.#outlet.fanOut(sockets, 'message', entry)
    for (const socket of passedOver) {
      const member = this.#members.get(socket)
      if (member === undefined) continue
      member.sentUpTo = entry.seq - 1
      this.#slowDown(member)
    }
    this.#outlet.onDelivered(sockets.length - passedOver.length)
  }

  #sendPresence(sockets: Socket[], change: PresenceChange): void {
    if (sockets.length === 0) return
    for (const socket of this.#outlet.fanOut(sockets, 'presence', presencePayload(this.room, change))) {
      const member = this.#members.get(socket)
      if (member === undefined) continue
      member.missedPresence.add(change)
      this.#slowDown(member)
    }
  }

  /** @param members all of them with the same log to be told of, or without any */
  #tellNewLog(members: readonly Member[]): void {
    const [newLog] = members.map((member) => member.newLog)
    if (newLog === undefined) return
    const payload: ChatEvents['epoch'] = { room: this.room, ...newLog }
    const sockets = members.map(({ socket }) => socket)
    const passedOver = new Set(this.#outlet.fanOut(sockets, 'epoch', payload))
    for (const member of members) {
      if (passedOver.has(member.socket)) this.#slowDown(member)
      else member.newLog = undefined
    }
  }

  #slowDown(member: Member): void {
    member.state = 'slow'
    this.#outlet.onSlow(member)
  }

  /** What has been published and not sent becomes a gap, and presence is told as it is now. */
  #catchUp(member: Member): void {
    if (member.state !== 'live') return
    if (member.sentUpTo < this.#head) this.#tellGap(member, this.#head)
    const presence = member.missedPresence.take()
    if (presence !== undefined) this.#sendPresence([member.socket], presence)
  }

  #tellGap(member: Member, to: number): void {
    member.socket.emit('gap', { room: this.room, from: member.sentUpTo + 1, to })
    member.sentUpTo = to
    this.#outlet.onGap()
  }
}

/** The event's payload; in large rooms only the count. */
function presencePayload(room: string, change: PresenceChange): ChatEvents['presence'] {
  const payload: ChatEvents['presence'] = { room, count: change.count }
  if (change.count > MEMBERS_SHOWN) return payload
  if (change.joined.length > 0) payload.joined = change.joined
  if (change.left.length > 0) payload.left = change.left
  return payload
}
