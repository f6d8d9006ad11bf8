/**
 * One room as its user has it. Puts its parts together: what is shown of the log and kept up with it, the people, and
 * what is read. Joined again after each reconnect from where it stands.
 */
import type { Author } from '../../wire/entry.ts'
import type { RequestPayload } from '../connection/connection.ts'
import type { RoomSummary } from '../connection/guards.ts'
import { type Entry, isSeq } from '../connection/guards.ts'
import { Emitter } from '../emitter.ts'
import { ChatError, closed } from '../errors.ts'
import type { Send } from '../sending/outbox.ts'
import { messageOfSend } from '../sending/pending-messages.ts'
import type { ChatMessage } from '../timeline/messages.ts'
import type { Doubt, ResetReason } from '../timeline/timeline.ts'
import { RoomReadState } from './read-state.ts'
import type { RoomContext } from './room-context.ts'
import type { HistoryPage, RoomEvents, RoomState, SentMessage } from './room-events.ts'
import { RoomMembers } from './room-members.ts'
import { RoomMessages } from './room-messages.ts'
import type { Members } from './roster.ts'

/** Entries that `loadOlder` asks for. */
const OLDER_PAGE = 100

export class ChatRoom {
  readonly name: string
  readonly #context: RoomContext
  readonly #emitter: Emitter<RoomEvents>
  readonly #messages: RoomMessages
  readonly #members: RoomMembers
  readonly #readState: RoomReadState
  readonly #waiters = new Set<() => void>()
  #state: RoomState = 'joining'

  constructor(name: string, context: RoomContext) {
    this.name = name
    this.#context = context
    this.#emitter = new Emitter((error) => context.failed(error))
    const shared = { room: name, context, emitter: this.#emitter }
    this.#messages = new RoomMessages({
      ...shared,
      joined: (members) => this.#joined(members),
      changed: () => this.#setState(),
      reset: (reason) => this.#reset(reason),
      beforeEntry: ({ from }) => this.#members.stoppedTyping(from),
      entriesAdded: (entries) => this.#readState.add(entries),
    })
    const { timeline, list } = this.#messages
    this.#readState = new RoomReadState({ ...shared, timeline, list })
    this.#members = new RoomMembers({ ...shared, userHasRead: (seq) => this.#readState.readElsewhere(seq) })
    void this.#messages.catchUp.run()
  }

  on<K extends keyof RoomEvents>(event: K, listener: (...args: RoomEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener)
  }

  get state(): RoomState {
    return this.#state
  }

  /** Joined on the present connection. */
  get joined(): boolean {
    return this.#messages.catchUp.joined
  }

  /** Why the server would not have the user in this room. */
  get refusal(): ChatError | undefined {
    return this.#messages.catchUp.refusal
  }

  /** The last thing that the client could not tell. */
  get doubt(): Doubt | undefined {
    return this.#messages.doubt
  }

  /** The log's texts in order, then one's own that the log has not shown yet. A new list after each change. */
  get messages(): readonly ChatMessage[] {
    return this.#messages.messages
  }

  /** The log as it is, of the window that is kept: edits and removals are entries of their own. */
  get entries(): readonly Entry[] {
    return [...this.#messages.timeline.entries]
  }

  get epoch(): string | undefined {
    return this.#messages.timeline.epoch
  }

  /** All up to this number has been shown. */
  get lastSeq(): number {
    return this.#messages.timeline.last
  }

  /** There are older messages than those in `messages`, and room for them. */
  get hasOlder(): boolean {
    return this.#messages.hasOlder
  }

  get members(): Members {
    return this.#members.members
  }

  get writers(): Author[] {
    return this.#members.writers
  }

  /** How far others have read, by user id. */
  get reads(): ReadonlyMap<string, number> {
    return this.#members.reads
  }

  /**
   * Texts by others that the user has not read, here or elsewhere. Before `ChatClient.rooms` was asked once: those that
   * have come since the room was joined.
   */
  get unread(): number {
    return this.#readState.unread
  }

  /** Up to where the user has read, here or elsewhere. */
  get readUpTo(): number {
    return this.#readState.readUpTo
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
  history(asked: Omit<RequestPayload<'room:history'>, 'room'> = {}): Promise<HistoryPage> {
    return this.#messages.page(asked)
  }

  /** Puts older messages in front of `messages`. @returns how many entries came */
  loadOlder(limit = OLDER_PAGE): Promise<number> {
    return this.#messages.loadOlder(limit)
  }

  /** Lets go of what `loadOlder` brought; it can be fetched again. */
  forgetOlder(): void {
    this.#messages.forgetOlder()
  }

  /** Asks who is there; `members` is kept up to date by itself. */
  fetchMembers(): Promise<Members> {
    return this.#members.fetchMembers()
  }

  /** Says that the user writes, or has stopped. May be called at each key: it is not told each time. */
  typing(typing: boolean): void {
    if (this.joined) this.#members.setTyping(typing)
  }

  /** The user has read up to here. Told as soon as may be; never goes back. */
  read(seq: number): void {
    this.#readState.read(seq)
    if (this.joined) this.#readState.sendMarker()
  }

  /** Also gives up what waits to be sent in it. */
  async leave(): Promise<void> {
    this.close()
    await this.#context.leave(this.name)
  }

  /** The connection is there again. */
  opened(): void {
    this.#messages.catchUp.opened()
  }

  /** The connection is gone, or the server says that the user is not in the room. */
  lost(): void {
    this.#messages.catchUp.lost()
    this.#members.lost()
    this.#setState()
  }

  rejoin(): void {
    this.lost()
    void this.#messages.catchUp.run()
  }

  /** An event of this room. */
  handle(event: string, payload: Record<string, unknown>): void {
    if (this.#state === 'left') return
    if (event === 'message') this.#messages.message(payload)
    else if (event === 'gap' && isSeq(payload.to)) this.#messages.gap(payload.to)
    else if (event === 'epoch' && typeof payload.epoch === 'string') this.#epochAnnounced(payload.epoch)
    else if (event === 'presence') this.#members.presence(payload)
    else if (event === 'typing') this.#members.typing(payload)
    else if (event === 'read') this.#members.read(payload)
  }

  /** What the server says of what is unread. */
  applySummary(summary: RoomSummary): void {
    this.#readState.applySummary(summary)
  }

  /** A send of this room has another state. */
  changed(): void {
    this.#messages.changed()
  }

  /** The server has acked a send; the log has the last word. */
  acked(): void {
    this.#messages.acked()
  }

  close(): void {
    this.#messages.close()
    this.#members.close()
    this.#state = 'left'
    this.#resolveWaiters()
    this.#emitter.emit('state', 'left')
    this.#emitter.clear()
  }

  #enqueue(what: { kind: Send['pending']['kind']; text?: string; target?: number }): SentMessage {
    if (this.#state === 'left') throw closed(this.name)
    const { send, settled } = this.#context.sends.enqueue(this.name, what)
    this.changed()
    return { ...messageOfSend(send, this.#context.sends), settled }
  }

  #joined(members: Author[]): void {
    this.#members.joined(members)
    this.#context.ready()
    this.#readState.sendMarker()
  }

  #reset(reason: ResetReason): void {
    if (reason === 'epoch') {
      this.#readState.clear()
      this.#members.clear()
    }
    this.#context.refreshSummaries()
  }

  #epochAnnounced(epoch: string): void {
    const announced = this.#messages.timeline.announceEpoch(epoch)
    // Where it is not joined just now the next answer tells.
    if (announced === 'known' || !this.joined) return
    this.lost()
    if (announced === 'new') void this.#messages.catchUp.run()
    else this.#messages.catchUp.runLater()
  }

  #setState(): void {
    if (this.#state === 'left') return
    const next = this.#stateNow()
    if (next === this.#state) return
    this.#state = next
    this.#resolveWaiters()
    this.#emitter.emit('state', next)
  }

  #stateNow(): RoomState {
    if (this.refusal !== undefined) return 'refused'
    if (!this.joined) return 'joining'
    return this.#messages.timeline.missingAfter === undefined ? 'live' : 'catching_up'
  }

  #resolveWaiters(): void {
    for (const resolve of this.#waiters) resolve()
    this.#waiters.clear()
  }
}

function badRequest(message: string): ChatError {
  return new ChatError({ code: 'bad_request', message, retryable: false })
}
