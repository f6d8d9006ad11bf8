/**
 * What is shown of one room: the log's texts in order, and behind them what waits to be sent. Takes what the catch-up
 * brings and what comes by itself, shows what the timeline says is to be shown, and holds acks against the log.
 */
import type { Author } from '../../wire/entry.ts'
import { Alarm } from '../connection/clock.ts'
import type { Asked } from '../connection/connection.ts'
import { type Entry, isEntry, type Page, pageOf } from '../connection/guards.ts'
import type { Emitter } from '../emitter.ts'
import { badAnswer } from '../errors.ts'
import { shownChanges, shownSend } from '../sending/pending-messages.ts'
import { type ChatMessage, Messages } from '../timeline/messages.ts'
import { type Doubt, type ResetReason, type Taken, Timeline } from '../timeline/timeline.ts'
import { CatchUp } from './catch-up.ts'
import type { RoomDesk } from './room-context.ts'
import type { RoomEvents } from './room-events.ts'

export interface ShownLogOptions {
  room: string
  desk: RoomDesk
  emitter: Emitter<RoomEvents>
  readonly joined: (members: Author[]) => void
  /** The room may be in another state. */
  readonly changed: () => void
  /** What was shown is gone. */
  readonly reset: (reason: ResetReason) => void
  /** Called before it is told. */
  readonly shows: (entry: Entry) => void
  /** These have been told. */
  readonly shown: (entries: readonly Entry[]) => void
}

const OLDER_TRIES = 3
/** A message that was acked comes by itself within so long, or is fetched. */
const UNSEEN_MS = 5_000

export class ShownLog {
  readonly timeline: Timeline
  readonly log = new Messages()
  readonly catchUp: CatchUp
  readonly #options: ShownLogOptions
  readonly #unseen: Alarm
  #messages: readonly ChatMessage[] | undefined
  #doubt: Doubt | undefined
  #older: Promise<number> | undefined

  constructor(options: ShownLogOptions) {
    const { room, desk, joined, changed } = options
    this.#options = options
    this.timeline = new Timeline(desk.bounds)
    this.catchUp = new CatchUp({
      room,
      desk,
      timeline: this.timeline,
      took: (taken) => this.#apply(taken, false),
      joined,
      refused: (error) => desk.sends.refuseRoom(room, error),
      changed,
    })
    this.#unseen = new Alarm(desk.clock, () => this.#fetchAcked())
  }

  get messages(): readonly ChatMessage[] {
    this.#messages ??= this.#list()
    return this.#messages
  }

  get doubt(): Doubt | undefined {
    return this.#doubt
  }

  get hasOlder(): boolean {
    return this.timeline.hasOlder && !this.timeline.full
  }

  /** An entry that came by itself. */
  message(payload: unknown): void {
    if (!isEntry(payload, this.#options.room)) return
    this.#apply(this.timeline.live(payload), true)
    void this.catchUp.run()
  }

  /** The server says that entries up to there exist, which it did not send. */
  gap(to: number): void {
    this.timeline.told(to)
    void this.catchUp.run()
  }

  /** `messages` is another list. */
  changed(): void {
    this.#messages = undefined
    this.#options.emitter.emit('change')
  }

  /** The server has acked a send; the log has the last word. */
  acked(): void {
    this.#checkAcked()
    this.#unseen.within(UNSEEN_MS)
  }

  close(): void {
    this.catchUp.close()
    this.#unseen.cancel()
  }

  async page(asked: Omit<Asked<'room:history'>, 'room'>): Promise<Page> {
    const { room, desk } = this.#options
    const page = pageOf(await desk.request('room:history', { ...asked, room }), room)
    if (page === undefined) throw badAnswer('room:history')
    return page
  }

  loadOlder(limit: number): Promise<number> {
    this.#older ??= this.#loadOlder(limit).finally(() => {
      this.#older = undefined
    })
    return this.#older
  }

  forgetOlder(): void {
    this.timeline.letGo()
    this.log.dropBefore(this.timeline.first)
    this.changed()
  }

  async #loadOlder(limit: number): Promise<number> {
    for (let tries = 0; tries < OLDER_TRIES && this.hasOlder; tries += 1) {
      const before = this.timeline.first
      const page = await this.page({ before, limit })
      const added = this.timeline.preceded(page, before)
      if (added === 0 && this.timeline.hasOlder) continue
      this.log.rebuild(this.timeline.entries)
      this.changed()
      return added
    }
    return 0
  }

  #list(): readonly ChatMessage[] {
    const { room, desk } = this.#options
    const sends = desk.outbox.of(room)
    const waiting = sends.filter(({ pending }) => pending.kind === 'text')
    const changes = shownChanges(sends, desk.sends)
    const texts: readonly ChatMessage[] =
      changes.size === 0
        ? this.log.texts
        : this.log.texts.map((text) => {
            const change = changes.get(text.seq)
            return change === undefined ? text : { ...text, change }
          })
    return [...texts, ...waiting.map((send) => shownSend(send, desk.sends))]
  }

  #apply(taken: Taken, live: boolean): void {
    const { shown, changed } = this.#options
    if (taken.reset !== undefined) this.#reset(taken.reset)
    for (const entry of taken.shown) this.#show(entry, live)
    this.log.dropBefore(this.timeline.first)
    this.#checkAcked()
    if (taken.doubt !== undefined) this.#doubted(taken.doubt)
    shown(taken.shown)
    if (taken.shown.length > 0 || taken.reset !== undefined) this.changed()
    changed()
  }

  #reset(reason: ResetReason): void {
    const { room, desk, emitter, reset } = this.#options
    this.log.rebuild([])
    this.#messages = undefined
    if (reason === 'epoch') desk.sends.lostLog(room)
    reset(reason)
    emitter.emit('reset', reason)
  }

  #show(entry: Entry, live: boolean): void {
    const { room, desk, emitter, shows } = this.#options
    if (entry.from.id === desk.user()?.id) desk.sends.seen(room, entry)
    const message = this.log.add(entry)
    this.#messages = undefined
    shows(entry)
    emitter.emit('entry', entry)
    if (message !== undefined) emitter.emit('message', message, { live })
  }

  /** Sends that were acked under a number that has been shown: it is theirs, or the server contradicts itself. */
  #checkAcked(): void {
    if (this.timeline.isOutdated) return
    const { room, desk } = this.#options
    for (const send of desk.outbox.of(room)) {
      const { seq, pending } = send
      if (send.state !== 'acked' || seq === undefined || seq > this.timeline.last) continue
      const entry = this.timeline.at(seq)
      const isItsOwn = entry === undefined || (entry.id === pending.id && entry.from.id === desk.user()?.id)
      if (isItsOwn) desk.outbox.seen(pending.id)
      else {
        desk.sends.contradicted(send)
        this.#doubted({ reason: 'ack', seq, id: pending.id })
      }
    }
  }

  #fetchAcked(): void {
    const { room, desk } = this.#options
    for (const { state, seq } of desk.outbox.of(room)) {
      if (state === 'acked' && seq !== undefined) this.timeline.exists(seq)
    }
    void this.catchUp.run()
  }

  #doubted(doubt: Doubt): void {
    this.#doubt = doubt
    this.#options.emitter.emit('doubt', doubt)
  }
}
