/**
 * One room as its user has it. Puts its parts together: what is shown of the log and kept up with it, the people, and
 * what is read. Joined again after each reconnect from where it stands.
 */
import type { Author } from '../../wire/entry.ts'
import type { Asked } from '../connection/connection.ts'
import { type Entry, isSeq } from '../connection/guards.ts'
import { Emitter } from '../emitter.ts'
import { ChatError, closed } from '../errors.ts'
import type { Send } from '../sending/outbox.ts'
import { shownSend } from '../sending/pending-messages.ts'
import type { ChatMessage } from '../timeline/messages.ts'
import type { Doubt, ResetReason } from '../timeline/timeline.ts'
import { RoomReading } from './read-state.ts'
import type { RoomDesk } from './room-context.ts'
import type { HistoryPage, RoomEvents, RoomState, SentMessage } from './room-events.ts'
import { RoomPeople } from './room-members.ts'
import { ShownLog } from './room-messages.ts'
import type { Members } from './roster.ts'
import type { RoomSummary } from './unread-count.ts'

/** Entries that `loadOlder` asks for. */
const OLDER = 100

export class ChatRoom {
  readonly name: string
  readonly #desk: RoomDesk
  readonly #emitter: Emitter<RoomEvents>
  readonly #log: ShownLog
  readonly #people: RoomPeople
  readonly #reading: RoomReading
  readonly #waiters = new Set<() => void>()
  #state: RoomState = 'joining'

  constructor(name: string, desk: RoomDesk) {
    this.name = name
    this.#desk = desk
    this.#emitter = new Emitter((error) => desk.failed(error))
    const about = { room: name, desk, emitter: this.#emitter }
    this.#log = new ShownLog({
      ...about,
      joined: (members) => this.#joined(members),
      changed: () => this.#setState(),
      reset: (reason) => this.#reset(reason),
      shows: ({ from }) => this.#people.wrote(from),
      shown: (entries) => this.#reading.shown(entries),
    })
    const { timeline, log } = this.#log
    this.#reading = new RoomReading({ ...about, timeline, log })
    this.#people = new RoomPeople({ ...about, userHasRead: (seq) => this.#reading.readElsewhere(seq) })
    void this.#log.catchUp.run()
  }

  on<K extends keyof RoomEvents>(event: K, listener: (...args: RoomEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener)
  }

  get state(): RoomState {
    return this.#state
  }

  /** Joined on the present connection. */
  get joined(): boolean {
    return this.#log.catchUp.joined
  }

  /** Why the server would not have the user in this room. */
  get refusal(): ChatError | undefined {
    return this.#log.catchUp.refusal
  }

  /** The last thing that the client could not tell. */
  get doubt(): Doubt | undefined {
    return this.#log.doubt
  }

  /** The log's texts in order, then one's own that the log has not shown yet. A new list after each change. */
  get messages(): readonly ChatMessage[] {
    return this.#log.messages
  }

  /** The log as it is, of the window that is kept: edits and removals are entries of their own. */
  get entries(): readonly Entry[] {
    return [...this.#log.timeline.entries]
  }

  get epoch(): string | undefined {
    return this.#log.timeline.epoch
  }

  /** All up to this number has been shown. */
  get lastSeq(): number {
    return this.#log.timeline.last
  }

  /** There are older messages than those in `messages`, and room for them. */
  get hasOlder(): boolean {
    return this.#log.hasOlder
  }

  get members(): Members {
    return this.#people.members
  }

  get writers(): Author[] {
    return this.#people.writers
  }

  /** How far others have read, by user id. */
  get reads(): ReadonlyMap<string, number> {
    return this.#people.reads
  }

  /**
   * Texts by others that the user has not read, here or elsewhere. Before `ChatClient.rooms` was asked once: those that
   * have come since the room was joined.
   */
  get unread(): number {
    return this.#reading.unread
  }

  /** Up to where the user has read, here or elsewhere. */
  get readUpTo(): number {
    return this.#reading.readUpTo
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
    return this.#log.page(asked)
  }

  /** Puts older messages in front of `messages`. @returns how many entries came */
  loadOlder(limit = OLDER): Promise<number> {
    return this.#log.loadOlder(limit)
  }

  /** Lets go of what `loadOlder` brought; it can be fetched again. */
  forgetOlder(): void {
    this.#log.forgetOlder()
  }

  /** Asks who is there; `members` is kept up to date by itself. */
  fetchMembers(): Promise<Members> {
    return this.#people.fetchMembers()
  }

  /** Says that the user writes, or has stopped. May be called at each key: it is not told each time. */
  typing(typing: boolean): void {
    if (this.joined) this.#people.userTypes(typing)
  }

  /** The user has read up to here. Told as soon as may be; never goes back. */
  read(seq: number): void {
    this.#reading.read(seq)
    if (this.joined) this.#reading.tell()
  }

  /** Also gives up what waits to be sent in it. */
  async leave(): Promise<void> {
    this.close()
    await this.#desk.leave(this.name)
  }

  /** The connection is there again. */
  opened(): void {
    this.#log.catchUp.opened()
  }

  /** The connection is gone, or the server says that the user is not in the room. */
  lost(): void {
    this.#log.catchUp.lost()
    this.#people.lost()
    this.#setState()
  }

  rejoin(): void {
    this.lost()
    void this.#log.catchUp.run()
  }

  /** An event of this room. */
  handle(event: string, payload: Record<string, unknown>): void {
    if (this.#state === 'left') return
    if (event === 'message') this.#log.message(payload)
    else if (event === 'gap' && isSeq(payload.to)) this.#log.gap(payload.to)
    else if (event === 'epoch' && typeof payload.epoch === 'string') this.#epochNamed(payload.epoch)
    else if (event === 'presence') this.#people.presence(payload)
    else if (event === 'typing') this.#people.typing(payload)
    else if (event === 'read') this.#people.read(payload)
  }

  /** What the server says of what is unread. */
  told(summary: RoomSummary): void {
    this.#reading.told(summary)
  }

  /** A send of this room has another state. */
  changed(): void {
    this.#log.changed()
  }

  /** The server has acked a send; the log has the last word. */
  acked(): void {
    this.#log.acked()
  }

  close(): void {
    this.#log.close()
    this.#people.close()
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

  #joined(members: Author[]): void {
    this.#people.joined(members)
    this.#desk.ready()
    this.#reading.tell()
  }

  #reset(reason: ResetReason): void {
    if (reason === 'epoch') {
      this.#reading.clear()
      this.#people.clear()
    }
    this.#desk.recount()
  }

  #epochNamed(epoch: string): void {
    const announced = this.#log.timeline.announced(epoch)
    // Where it is not joined just now the next answer tells.
    if (announced === 'known' || !this.joined) return
    this.lost()
    if (announced === 'new') void this.#log.catchUp.run()
    else this.#log.catchUp.runLater()
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
    return this.#log.timeline.missingAfter === undefined ? 'live' : 'catching_up'
  }

  #wake(): void {
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }
}

function badRequest(message: string): ChatError {
  return new ChatError({ code: 'bad_request', message, retryable: false })
}
