/**
 * One room as its user has it: joins it again after each reconnect from where it stands, fetches what is missing, shows
 * what the log has and behind it what waits to be sent. What to show is the timeline's to say, when to send the outbox's.
 */
import type { Author } from '../wire/entry.ts'
import { CatchUp } from './catch-up.ts'
import { Alarm } from './clock.ts'
import type { Asked } from './connection.ts'
import { Emitter } from './emitter.ts'
import { badAnswer, ChatError, closed } from './errors.ts'
import { authorsOf, type Entry, isAuthor, isEntry, isObject, isSeq, type Page, pageOf } from './guards.ts'
import { type ChatMessage, type LoggedMessage, Messages } from './messages.ts'
import type { Send } from './outbox.ts'
import { ReadMark } from './read-mark.ts'
import type { RoomDesk } from './room-desk.ts'
import { type Members, Roster } from './roster.ts'
import { shownChanges, shownSend } from './shown-sends.ts'
import type { RoomSummary } from './tally.ts'
import { type Doubt, type ResetReason, type Taken, Timeline } from './timeline.ts'
import { Unread } from './unread.ts'

/**
 * `live`: all that the log has is shown. `catching_up`: joined, and more is on its way. `joining`: not joined on the
 * present connection. `refused`: the server will not have the user in it.
 */
export type RoomState = 'joining' | 'catching_up' | 'live' | 'refused' | 'left'

export interface RoomEvents {
  [event: string]: unknown[]
  /** A text of the log, each once and in order. `live`: it came by itself, not with a page of what was before. */
  message: [message: LoggedMessage, about: { live: boolean }]
  /** Any entry of the log, each once and in order. */
  entry: [entry: Entry]
  /** `messages` is another list than before. */
  change: []
  presence: [members: Members]
  /** Who writes just now. */
  typing: [writers: Author[]]
  /** Somebody has read up to there. */
  read: [about: { user: { id: string }; seq: number }]
  /** `unread` is another number than before. */
  unread: [unread: number]
  /** What was shown is gone: `messages` begins anew. */
  reset: [reason: ResetReason]
  /** The client can't tell something about this room. */
  doubt: [doubt: Doubt]
  state: [state: RoomState]
}

/** A send, as it is now; `settled` resolves when it is sent, has failed or has been given up, and never rejects. */
export type SentMessage = ChatMessage & { readonly settled: Promise<ChatMessage> }

export interface HistoryPage {
  readonly epoch: string
  readonly head: number
  readonly messages: readonly Entry[]
  readonly more: boolean
}

const OLDER = 100
const TYPING_AGAIN_MS = 2_500
const OLDER_TRIES = 3
/** A message that was acked comes by itself within so long, or is fetched. */
const UNSEEN_MS = 5_000

export class ChatRoom {
  readonly name: string
  readonly #desk: RoomDesk
  readonly #emitter: Emitter<RoomEvents>
  readonly #timeline: Timeline
  readonly #log = new Messages()
  readonly #roster = new Roster()
  readonly #catchUp: CatchUp
  readonly #readMark: ReadMark
  readonly #unread: Unread
  #unreadTold = 0
  readonly #stops: Alarm
  readonly #unseen: Alarm
  #shown: readonly ChatMessage[] | undefined
  #state: RoomState = 'joining'
  #doubt: Doubt | undefined
  #typed: { typing: boolean; at: number } | undefined
  #older: Promise<number> | undefined
  readonly #waiters = new Set<() => void>()

  constructor(name: string, desk: RoomDesk) {
    this.name = name
    this.#desk = desk
    this.#emitter = new Emitter((error) => desk.failed(error))
    this.#timeline = new Timeline(desk.bounds)
    this.#readMark = new ReadMark(name, desk)
    this.#unread = this.#newUnread()
    this.#unreadTold = this.unread
    this.#catchUp = this.#newCatchUp()
    this.#stops = new Alarm(desk.clock, () => this.#writersChanged())
    this.#unseen = new Alarm(desk.clock, () => this.#fetchAcked())
    void this.#catchUp.run()
  }

  on<K extends keyof RoomEvents>(event: K, listener: (...args: RoomEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener)
  }

  get state(): RoomState {
    return this.#state
  }

  /** Joined on the present connection. */
  get joined(): boolean {
    return this.#catchUp.joined
  }

  /** Why the server would not have the user in this room. */
  get refusal(): ChatError | undefined {
    return this.#catchUp.refusal
  }

  /** The last thing that the client could not tell. */
  get doubt(): Doubt | undefined {
    return this.#doubt
  }

  /** The log's texts in order, then one's own that the log has not shown yet. A new list after each change. */
  get messages(): readonly ChatMessage[] {
    this.#shown ??= this.#show()
    return this.#shown
  }

  /** The log as it is, of the window that is kept: edits and removals are entries of their own. */
  get entries(): readonly Entry[] {
    return [...this.#timeline.entries]
  }

  get epoch(): string | undefined {
    return this.#timeline.epoch
  }

  /** All up to this number has been shown. */
  get lastSeq(): number {
    return this.#timeline.last
  }

  /** There are older messages than those in `messages`, and room for them. */
  get hasOlder(): boolean {
    return this.#timeline.hasOlder && !this.#timeline.full
  }

  get members(): Members {
    return this.#roster.members
  }

  get writers(): Author[] {
    return this.#roster.writers(this.#desk.clock.now())
  }

  /** How far others have read, by user id. */
  get reads(): ReadonlyMap<string, number> {
    return this.#roster.reads
  }

  /**
   * Texts by others that the user has not read, here or elsewhere. Before `ChatClient.rooms` was asked once: those that
   * have come since the room was joined.
   */
  get unread(): number {
    return this.#unread.count
  }

  /** Up to where the user has read, here or elsewhere. */
  get readUpTo(): number {
    return this.#unread.read
  }

  /** Resolves when all that the log has is shown; rejects when the room is refused or left. No limit in time. */
  async live(): Promise<void> {
    while (this.#state !== 'live') {
      if (this.refusal !== undefined) throw this.refusal
      if (this.#state === 'left') throw closed(this.name)
      await new Promise<void>((resolve) => this.#waiters.add(resolve))
    }
  }

  /** @throws `too_many_pending`; `bad_request` for an empty text; `closed` */
  send(text: string): SentMessage {
    if (text === '') throw badRequest('a text has at least one character')
    return this.#enqueue({ kind: 'text', text })
  }

  /** Changes a message of one's own. Waits, and is retried, like a send. */
  edit(seq: number, text: string): SentMessage {
    if (text === '') throw badRequest('a text has at least one character')
    return this.#enqueue({ kind: 'edit', target: seq, text })
  }

  remove(seq: number): SentMessage {
    return this.#enqueue({ kind: 'remove', target: seq })
  }

  /** A page of the log as it is; shows nothing. */
  history(asked: Omit<Asked<'room:history'>, 'room'> = {}): Promise<HistoryPage> {
    return this.#historyPage(asked)
  }

  /** Puts older messages in front of `messages`. @returns how many entries came */
  loadOlder(limit = OLDER): Promise<number> {
    this.#older ??= this.#loadOlder(limit).finally(() => {
      this.#older = undefined
    })
    return this.#older
  }

  /** Lets go of what `loadOlder` brought; it can be fetched again. */
  forgetOlder(): void {
    this.#timeline.letGo()
    this.#log.dropBefore(this.#timeline.first)
    this.changed()
  }

  /** Asks who is there; `members` is kept up to date by itself. */
  async fetchMembers(): Promise<Members> {
    const { members, count } = await this.#desk.request('room:members', { room: this.name })
    this.#roster.listed(authorsOf(members), isSeq(count) ? count : 0)
    this.#emitter.emit('presence', this.members)
    return this.members
  }

  /** Says that the user writes, or has stopped. May be called at each key: it is not told each time. */
  typing(typing: boolean): void {
    const now = this.#desk.clock.now()
    const known = this.#typed
    const stale =
      known === undefined || known.typing !== typing || (typing && now - known.at >= TYPING_AGAIN_MS)
    if (!this.joined || !stale || (known === undefined && !typing)) return
    this.#typed = { typing, at: now }
    this.#desk.connection().mention('typing', { room: this.name, typing })
  }

  /** The user has read up to here. Told as soon as may be; never goes back. */
  read(seq: number): void {
    const upTo = Math.min(seq, this.#timeline.last)
    this.#readMark.set(upTo)
    this.#unread.readUpTo(upTo)
    this.#tallied()
    if (this.joined) void this.#readMark.tell()
  }

  /** Also gives up what waits to be sent in it. */
  async leave(): Promise<void> {
    this.close()
    await this.#desk.leave(this.name)
  }

  /** The connection is there again. */
  opened(): void {
    this.#catchUp.opened()
  }

  /** The connection is gone, or the server says that the user is not in the room. */
  lost(): void {
    this.#catchUp.lost()
    this.#typed = undefined
    this.#setState()
  }

  rejoin(): void {
    this.lost()
    void this.#catchUp.run()
  }

  /** An event of this room. */
  handle(event: string, payload: Record<string, unknown>): void {
    if (this.#state === 'left') return
    if (event === 'message') this.#message(payload)
    else if (event === 'epoch' && typeof payload.epoch === 'string') this.#epochNamed(payload.epoch)
    else if (event === 'gap' && isSeq(payload.to)) {
      this.#timeline.exists(payload.to)
      void this.#catchUp.run()
    } else if (event === 'presence') this.#presence(payload)
    else if (event === 'typing' && isAuthor(payload.user)) {
      this.#roster.typing(payload.user, payload.typing === true, this.#desk.clock.now())
      this.#writersChanged()
    } else if (event === 'read') this.#read(payload)
  }

  /** What the server says of what is unread. */
  told(summary: RoomSummary): void {
    this.#unread.told(summary)
    this.#tallied()
  }

  /** A send of this room has another state. */
  changed(): void {
    this.#shown = undefined
    this.#emitter.emit('change')
  }

  /** The server has acked a send; the log has the last word. */
  acked(): void {
    this.#checkAcked()
    this.#unseen.within(UNSEEN_MS)
  }

  close(): void {
    this.#catchUp.close()
    this.#stops.cancel()
    this.#unseen.cancel()
    this.#state = 'left'
    this.#wake()
    this.#emitter.emit('state', 'left')
    this.#emitter.clear()
  }

  #enqueue(what: { kind: Send['pending']['kind']; text?: string; target?: number }): SentMessage {
    if (this.#state === 'left') throw closed(this.name)
    const { send, settled } = this.#desk.sends.enqueue(this.name, what)
    this.changed()
    return { ...shownSend(send, this.#desk.sends), settled }
  }

  #show(): readonly ChatMessage[] {
    const sends = this.#desk.outbox.of(this.name)
    const waiting = sends.filter(({ pending }) => pending.kind === 'text')
    const changes = shownChanges(sends, this.#desk.sends)
    const texts: readonly ChatMessage[] =
      changes.size === 0
        ? this.#log.texts
        : this.#log.texts.map((text) => {
            const change = changes.get(text.seq)
            return change === undefined ? text : { ...text, change }
          })
    return [...texts, ...waiting.map((send) => shownSend(send, this.#desk.sends))]
  }

  #newCatchUp(): CatchUp {
    return new CatchUp({
      room: this.name,
      desk: this.#desk,
      timeline: this.#timeline,
      took: (taken) => this.#apply(taken, false),
      joined: (members) => this.#membersListed(members),
      refused: (error) => this.#desk.sends.refuseRoom(this.name, error),
      changed: () => this.#setState(),
    })
  }

  #newUnread(): Unread {
    const tally = this.#desk.tally(this.name)
    return new Unread({ tally, timeline: this.#timeline, log: this.#log, me: () => this.#desk.user()?.id })
  }

  #tallied(): void {
    const { unread } = this
    if (unread !== this.#unreadTold) {
      this.#unreadTold = unread
      this.#emitter.emit('unread', unread)
    }
    this.#desk.tallied(this.name)
  }

  #membersListed(members: Author[]): void {
    this.#roster.listed(members)
    this.#emitter.emit('presence', this.members)
    this.#desk.ready()
    void this.#readMark.tell()
    // A list that is as long as lists may be does not tell how many there are.
    if (members.length >= this.#desk.membersShown()) void this.#countMembers()
  }

  async #countMembers(): Promise<void> {
    try {
      await this.fetchMembers()
    } catch (error) {
      if (this.#state !== 'left') this.#desk.failed(error)
    }
  }

  #apply(taken: Taken, live: boolean): void {
    if (taken.reset !== undefined) this.#reset(taken.reset)
    for (const entry of taken.shown) this.#showEntry(entry, live)
    this.#log.dropBefore(this.#timeline.first)
    this.#unread.shown(taken.shown)
    this.#checkAcked()
    if (taken.doubt !== undefined) this.#doubted(taken.doubt)
    if (taken.shown.length > 0 || taken.reset !== undefined) {
      this.changed()
      this.#tallied()
    }
    this.#setState()
  }

  #reset(reason: ResetReason): void {
    this.#log.rebuild([])
    this.#shown = undefined
    if (reason === 'epoch') {
      this.#readMark.clear()
      this.#unread.clear()
      this.#roster.clear()
      this.#desk.sends.lostLog(this.name)
    }
    this.#desk.recount()
    this.#emitter.emit('reset', reason)
  }

  #showEntry(entry: Entry, live: boolean): void {
    if (entry.from.id === this.#desk.user()?.id) this.#desk.sends.seen(this.name, entry)
    const message = this.#log.add(entry)
    this.#shown = undefined
    this.#roster.typing(entry.from, false, 0)
    this.#emitter.emit('entry', entry)
    if (message !== undefined) this.#emitter.emit('message', message, { live })
  }

  /** Sends that were acked under a number that has been shown: it is theirs, or the server contradicts itself. */
  #checkAcked(): void {
    if (this.#timeline.isOutdated) return
    for (const send of this.#desk.outbox.of(this.name)) {
      const { seq, pending } = send
      if (send.state !== 'acked' || seq === undefined || seq > this.#timeline.last) continue
      const entry = this.#timeline.at(seq)
      const itsOwn =
        entry === undefined || (entry.id === pending.id && entry.from.id === this.#desk.user()?.id)
      if (itsOwn) this.#desk.outbox.seen(pending.id)
      else {
        this.#desk.sends.contradicted(send)
        this.#doubted({ reason: 'ack', seq, id: pending.id })
      }
    }
  }

  #fetchAcked(): void {
    for (const { state, seq } of this.#desk.outbox.of(this.name)) {
      if (state === 'acked' && seq !== undefined) this.#timeline.exists(seq)
    }
    void this.#catchUp.run()
  }

  #doubted(doubt: Doubt): void {
    this.#doubt = doubt
    this.#emitter.emit('doubt', doubt)
  }

  #message(payload: Record<string, unknown>): void {
    if (!isEntry(payload, this.name)) return
    this.#apply(this.#timeline.live(payload), true)
    void this.#catchUp.run()
  }

  #epochNamed(epoch: string): void {
    const announced = this.#timeline.announced(epoch)
    // Where it is not joined just now the next answer tells.
    if (announced === 'known' || !this.joined) return
    this.lost()
    if (announced === 'new') void this.#catchUp.run()
    else this.#catchUp.runLater()
  }

  #presence({ joined, left, count }: Record<string, unknown>): void {
    if (!isSeq(count)) return
    const gone = Array.isArray(left) ? left.filter(isObject).map(({ id }) => ({ id: String(id) })) : []
    this.#roster.changed({ joined: authorsOf(joined), left: gone, count })
    this.#emitter.emit('presence', this.members)
  }

  #read({ user, seq }: Record<string, unknown>): void {
    if (!isObject(user) || typeof user.id !== 'string' || !isSeq(seq)) return
    if (user.id === this.#desk.user()?.id) {
      this.#unread.readUpTo(seq)
      this.#tallied()
    }
    if (this.#roster.read(user.id, seq)) this.#emitter.emit('read', { user: { id: user.id }, seq })
  }

  #writersChanged(): void {
    const now = this.#desk.clock.now()
    const writers = this.#roster.writers(now)
    const nextStopAt = this.#roster.nextStopAt()
    if (nextStopAt !== undefined) this.#stops.within(nextStopAt - now)
    this.#emitter.emit('typing', writers)
  }

  async #historyPage(asked: Omit<Asked<'room:history'>, 'room'>): Promise<Page> {
    const answer = await this.#desk.request('room:history', { ...asked, room: this.name })
    const page = pageOf(answer, this.name)
    if (page === undefined) throw badAnswer('room:history')
    return page
  }

  async #loadOlder(limit: number): Promise<number> {
    for (let tries = 0; tries < OLDER_TRIES && this.hasOlder; tries += 1) {
      const before = this.#timeline.first
      const page = await this.#historyPage({ before, limit })
      const added = this.#timeline.preceded(page, before)
      if (added === 0 && this.#timeline.hasOlder) continue
      this.#log.rebuild(this.#timeline.entries)
      this.changed()
      return added
    }
    return 0
  }

  #setState(): void {
    if (this.#state === 'left') return
    const next = this.#stateNow()
    if (next === this.#state) return
    this.#state = next
    this.#wake()
    this.#emitter.emit('state', next)
  }

  #stateNow(): RoomState {
    if (this.refusal !== undefined) return 'refused'
    if (!this.joined) return 'joining'
    return this.#timeline.missingAfter === undefined ? 'live' : 'catching_up'
  }

  #wake(): void {
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }
}

function badRequest(message: string): ChatError {
  return new ChatError({ code: 'bad_request', message, retryable: false })
}
