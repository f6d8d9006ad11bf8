/**
 * One room, as the application uses it. Wires its parts together: messages, catch-up, members, read state.
 * Joined again after each reconnect from where it was.
 */
import type { Author } from '../../wire/entry.ts'
import { dataProblems, isOwnKind, KIND_RULE, toData } from '../../wire/entry-data.ts'
import type { RequestPayload } from '../connection/connection.ts'
import type { RoomSummary } from '../connection/guards.ts'
import { type Entry, isSeq } from '../connection/guards.ts'
import { Emitter } from '../emitter.ts'
import { ChatError, closed } from '../errors.ts'
import { messageOfSend } from '../sending/pending-messages.ts'
import type { SendContent } from '../sending/pending-sends.ts'
import type { ChatMessage } from '../timeline/messages.ts'
import type { Doubt, ResetReason } from '../timeline/timeline.ts'
import { RoomReadState } from './read-state.ts'
import type { RoomContext } from './room-context.ts'
import type { HistoryPage, RoomEvents, RoomState, SentMessage } from './room-events.ts'
import { RoomMembers } from './room-members.ts'
import { RoomMessages } from './room-messages.ts'
import type { Members } from './roster.ts'

/** Entries that `loadOlder` asks for by default. */
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

  /** Joined on the current connection. */
  get joined(): boolean {
    return this.#messages.catchUp.joined
  }

  /** Why the server refuses the user in this room. */
  get refusal(): ChatError | undefined {
    return this.#messages.catchUp.refusal
  }

  /** The last contradiction or gap that the client found. */
  get doubt(): Doubt | undefined {
    return this.#messages.doubt
  }

  /** The log's texts in order, then the user's unsent ones. A new array after each change. */
  get messages(): readonly ChatMessage[] {
    return this.#messages.messages
  }

  /** The raw log entries in memory. Edits and removals are entries of their own. */
  get entries(): readonly Entry[] {
    return [...this.#messages.timeline.entries]
  }

  /** The user's entries of own kinds that are not in the log yet, with their state. */
  get appending(): readonly ChatMessage[] {
    const { outbox, sends } = this.#context
    const own = outbox.of(this.name).filter(({ pending }) => isOwnKind(pending.kind))
    return own.map((send) => messageOfSend(send, sends))
  }

  get epoch(): string | undefined {
    return this.#messages.timeline.epoch
  }

  /** Everything up to this sequence number is shown. */
  get lastSeq(): number {
    return this.#messages.timeline.last
  }

  /** There are older messages than those in `messages`, and memory for them. */
  get hasOlder(): boolean {
    return this.#messages.hasOlder
  }

  get members(): Members {
    return this.#members.members
  }

  get writers(): Author[] {
    return this.#members.writers
  }

  /** Sequence numbers up to which others have read, by user id. */
  get reads(): ReadonlyMap<string, number> {
    return this.#members.reads
  }

  /**
   * Texts by others that the user has not read, here or elsewhere. Before the first call of
   * `ChatClient.rooms` only those since the room was joined.
   */
  get unread(): number {
    return this.#readState.unread
  }

  /** The sequence number up to which the user has read, here or elsewhere. */
  get readUpTo(): number {
    return this.#readState.readUpTo
  }

  /** Resolves when everything in the log is shown. Rejects if the room is refused or left. Has no timeout. */
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
    const sent = this.#enqueue({ kind: 'text', text })
    this.typing(false)
    return sent
  }

  /** Edits one of the user's messages. Queued and retried like `send`. */
  edit(seq: number, text: string): SentMessage {
    if (text === '') throw badRequest('a text has at least one character')
    return this.#enqueue({ kind: 'edit', target: seq, text })
  }

  remove(seq: number): SentMessage {
    return this.#enqueue({ kind: 'remove', target: seq })
  }

  /**
   * Appends an entry of the application's own kind. Queued and retried like `send`; the log shows it as `entry`.
   * @throws as `send`; `bad_request` or `too_large` for what can't be an entry
   */
  append({ kind, data }: { kind: string; data?: unknown }): SentMessage {
    if (!isOwnKind(kind)) throw badRequest(KIND_RULE)
    if (data === undefined) return this.#enqueue({ kind })
    const made = toData(data)
    if ('data' in made) return this.#enqueue({ kind, data: made.data })
    const code = made.problem === 'large' ? 'too_large' : 'bad_request'
    throw new ChatError({ code, message: dataProblems[made.problem], retryable: false })
  }

  /** A page of raw log entries. Does not change `messages`. */
  history(asked: Omit<RequestPayload<'room:history'>, 'room'> = {}): Promise<HistoryPage> {
    return this.#messages.page(asked, (page) => page)
  }

  /** Adds older messages in front of `messages`. @returns the number of entries added */
  loadOlder(limit = OLDER_PAGE): Promise<number> {
    return this.#messages.loadOlder(limit)
  }

  /** Drops what `loadOlder` added. It can be fetched again. */
  forgetOlder(): void {
    this.#messages.forgetOlder()
  }

  /** Fetches the members, at most 1,000. `members` is also kept up to date by events. */
  fetchMembers(): Promise<Members> {
    return this.#members.fetchMembers()
  }

  /**
   * Members by a part of their name, the best matches first, also those that are not in `members`. Asked once:
   * rejects while there is no connection.
   */
  findMembers(search: string): Promise<Author[]> {
    return this.#members.find(search)
  }

  /** Reports that the user types or has stopped. May be called on each key press: it is throttled. */
  typing(typing: boolean): void {
    if (this.joined) this.#members.setTyping(typing)
  }

  /** The user has read up to here. Sent to the server as soon as possible. Never moves backwards. */
  read(seq: number): void {
    this.#readState.read(seq)
    if (this.joined) this.#readState.sendMarker()
  }

  /** Leaves the room and discards its unsent messages. */
  async leave(): Promise<void> {
    this.close()
    await this.#context.leave(this.name)
  }

  opened(): void {
    this.#messages.catchUp.opened()
  }

  /** The connection is lost, or the server reports that the user is not in the room. */
  lost(): void {
    this.#messages.catchUp.lost()
    this.#members.lost()
    this.#setState()
  }

  rejoin(): void {
    this.lost()
    void this.#messages.catchUp.run()
  }

  handle(event: string, payload: Record<string, unknown>): void {
    if (this.#state === 'left') return
    if (event === 'message') this.#messages.message(payload)
    else if (event === 'gap' && isSeq(payload.to)) this.#messages.gap(payload.to)
    else if (event === 'epoch' && typeof payload.epoch === 'string') this.#epochAnnounced(payload.epoch)
    else if (event === 'presence') this.#members.presence(payload)
    else if (event === 'typing') this.#members.typing(payload)
    else if (event === 'read') this.#members.read(payload)
  }

  applySummary(summary: RoomSummary): void {
    this.#readState.applySummary(summary)
  }

  /** A message of this room has changed its state. */
  changed(): void {
    this.#messages.changed()
  }

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

  #enqueue(what: SendContent): SentMessage {
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
    // If it is not joined now, the next join reports the epoch.
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
