/**
 * The messages of one room: the log's texts in order, then the user's unsent ones. Applies what catch-up
 * fetches and what the server pushes, emits events for new entries, and compares acks with the log.
 */
import type { Author } from '../../wire/entry.ts'
import { Timer } from '../connection/clock.ts'
import type { RequestPayload } from '../connection/connection.ts'
import { type Entry, isEntry, type Page, pageOf } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import { badAnswer } from '../errors.ts'
import { messageOfSend, pendingChanges } from '../sending/pending-messages.ts'
import { type ChatMessage, MessageList } from '../timeline/messages.ts'
import { type Doubt, type ResetReason, Timeline, type TimelineUpdate } from '../timeline/timeline.ts'
import { CatchUp } from './catch-up.ts'
import type { RoomContext } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'

export interface RoomMessagesOptions {
  room: string
  context: RoomContext
  emitter: Emitter<RoomEvents>
  readonly joined: (members: Author[]) => void
  /** The room's state may have changed. */
  readonly changed: () => void
  /** Everything shown is discarded. */
  readonly reset: (reason: ResetReason) => void
  /** Called before the events of an entry. */
  readonly beforeEntry: (entry: Entry) => void
  /** Called after the events of these entries. */
  readonly entriesAdded: (entries: readonly Entry[]) => void
}

const OLDER_TRIES = 3
/** An acked message that the server has not pushed after this time is fetched. */
const ACK_CHECK_MS = 5_000

export class RoomMessages {
  readonly timeline: Timeline
  readonly list = new MessageList()
  readonly catchUp: CatchUp
  readonly #options: RoomMessagesOptions
  readonly #ackTimer: Timer
  #messages: readonly ChatMessage[] | undefined
  #doubt: Doubt | undefined
  #older: Promise<number> | undefined

  constructor(options: RoomMessagesOptions) {
    const { room, context, joined, changed } = options
    this.#options = options
    this.timeline = new Timeline(context.bounds)
    this.catchUp = new CatchUp({
      room,
      context,
      timeline: this.timeline,
      apply: (update) => this.#apply(update, false),
      joined,
      refused: (error) => context.sends.refuseRoom(room, error),
      changed,
    })
    this.#ackTimer = new Timer(context.clock, () => this.#fetchAcked())
  }

  get messages(): readonly ChatMessage[] {
    this.#messages ??= this.#build()
    return this.#messages
  }

  get doubt(): Doubt | undefined {
    return this.#doubt
  }

  get hasOlder(): boolean {
    return this.timeline.hasOlder && !this.timeline.isFull
  }

  /** An entry that the server pushed. */
  message(payload: unknown): void {
    const { room, context } = this.#options
    if (!isEntry(payload, context.serverName(room))) return
    this.#apply(this.timeline.addLive(payload), true)
    void this.catchUp.run()
  }

  /** Entries up to `to` exist that the server did not push. */
  gap(to: number): void {
    this.timeline.announceHead(to)
    void this.catchUp.run()
  }

  /** `messages` has changed. */
  changed(): void {
    this.#messages = undefined
    this.#options.emitter.emit('change')
  }

  /** The server has acked a message. The log decides. */
  acked(): void {
    this.#checkAcked()
    this.#ackTimer.schedule(ACK_CHECK_MS)
  }

  close(): void {
    this.catchUp.close()
    this.#ackTimer.cancel()
  }

  page<T>(asked: Omit<RequestPayload<'room:history'>, 'room'>, use: (page: Page) => T): Promise<T> {
    const { room, context } = this.#options
    return context.request('room:history', { ...asked, room }, (answer) => {
      const page = pageOf(answer, context.serverName(room))
      if (page === undefined) throw badAnswer('room:history')
      return use(page)
    })
  }

  loadOlder(limit: number): Promise<number> {
    this.#older ??= this.#loadOlder(limit).finally(() => {
      this.#older = undefined
    })
    return this.#older
  }

  forgetOlder(): void {
    this.timeline.dropOlder()
    this.list.dropBefore(this.timeline.first)
    this.changed()
  }

  async #loadOlder(limit: number): Promise<number> {
    for (let tries = 0; tries < OLDER_TRIES && this.hasOlder; tries += 1) {
      const before = this.timeline.first
      const added = await this.page({ before, limit }, (page) => this.#addOlderPage(page, before))
      if (added > 0 || !this.timeline.hasOlder) return added
    }
    return 0
  }

  #addOlderPage(page: Page, before: number): number {
    const added = this.timeline.addOlderPage(page, before)
    if (added === 0 && this.timeline.hasOlder) return 0
    this.list.rebuild(this.timeline.entries)
    this.changed()
    return added
  }

  #build(): readonly ChatMessage[] {
    const { room, context } = this.#options
    const sends = context.outbox.of(room)
    const waiting = sends.filter(({ pending }) => pending.kind === 'text')
    const changes = pendingChanges(sends, context.sends)
    const texts: readonly ChatMessage[] =
      changes.size === 0
        ? this.list.texts
        : this.list.texts.map((text) => {
            const change = changes.get(text.seq)
            return change === undefined ? text : { ...text, change }
          })
    return [...texts, ...waiting.map((send) => messageOfSend(send, context.sends))]
  }

  #apply(update: TimelineUpdate, live: boolean): void {
    const { entriesAdded, changed } = this.#options
    if (update.reset !== undefined) this.#reset(update.reset, update.wasEmpty === true)
    for (const entry of update.added) this.#addEntry(entry, live)
    this.list.dropBefore(this.timeline.first)
    this.#checkAcked()
    if (update.doubt !== undefined) this.#reportDoubt(update.doubt)
    entriesAdded(update.added)
    if (update.added.length > 0 || update.reset !== undefined) this.changed()
    changed()
  }

  #reset(reason: ResetReason, wasEmpty: boolean): void {
    const { room, context, emitter, reset } = this.#options
    this.list.rebuild([])
    this.#messages = undefined
    const lostSends = reason === 'epoch' ? context.sends.resendAcked(room) : 0
    reset(reason)
    if (!wasEmpty || lostSends > 0) emitter.emit('reset', reason)
  }

  #addEntry(entry: Entry, live: boolean): void {
    const { room, context, emitter, beforeEntry } = this.#options
    if (entry.from.id === context.user()?.id) context.sends.confirmed(room, entry)
    const message = this.list.add(entry)
    this.#messages = undefined
    beforeEntry(entry)
    emitter.emit('entry', entry)
    if (message !== undefined) emitter.emit('message', message, { live })
  }

  /** Compares acked messages with the log entry of their number: a different entry is a contradiction. */
  #checkAcked(): void {
    if (this.timeline.isStale) return
    const { room, context } = this.#options
    for (const send of context.outbox.of(room)) {
      const { seq, pending } = send
      if (send.state !== 'acked' || seq === undefined || seq > this.timeline.last) continue
      const entry = this.timeline.at(seq)
      const isItsOwn =
        entry === undefined || (entry.id === pending.id && entry.from.id === context.user()?.id)
      if (isItsOwn) context.outbox.remove(pending.id)
      else {
        context.sends.contradicted(send)
        this.#reportDoubt({ reason: 'ack', seq, id: pending.id })
      }
    }
  }

  #fetchAcked(): void {
    const { room, context } = this.#options
    for (const { state, seq } of context.outbox.of(room)) {
      if (state === 'acked' && seq !== undefined) this.timeline.extendHead(seq)
    }
    void this.catchUp.run()
  }

  #reportDoubt(doubt: Doubt): void {
    this.#doubt = doubt
    this.#options.emitter.emit('doubt', doubt)
  }
}
