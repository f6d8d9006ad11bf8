/** One client in one room of the chat: makes its follower's requests, and records its deliveries. */
import { HISTORY_MAX } from '../../../src/wire/chat.ts'
import { dueAtFrom } from '../../model/delivery-records.ts'
import type { ClientContext } from '../client-context.ts'
import type { MemberRecorder } from '../record/recorder.ts'
import { type Entry, entryOf, isOk, isRecord, pageOf, refusalOf } from './responses.ts'
import { type Outcome, retry } from './retry.ts'
import { type DeliverySink, RoomFollower } from './room-follower.ts'
import type { RoomHeads } from './room-heads.ts'

export const ANSWER_MS = 10_000

export class ChatRoom implements DeliverySink {
  readonly #room: string
  readonly #context: ClientContext
  readonly #follower = new RoomFollower(this)
  #member: MemberRecorder | undefined
  #isFetching = false
  #isJoining = false
  /** Aborted with the connection. */
  #signal: AbortSignal = AbortSignal.abort()

  readonly #heads: RoomHeads

  constructor(room: string, context: ClientContext, heads: RoomHeads) {
    this.#room = room
    this.#context = context
    this.#heads = heads
  }

  /** Messages of the log that are not delivered yet. */
  get outstanding(): number {
    return Math.max(0, this.#heads.of(this.#room) - this.#follower.last)
  }

  /** @param signal ends with the connection */
  async join(signal: AbortSignal): Promise<boolean> {
    this.#signal = signal
    this.#isJoining = true
    const hasJoined = await retry({ signal, random: this.#context.random }, () => this.#joinOnce())
    if (signal === this.#signal) this.#isJoining = false
    if (hasJoined) void this.#fetch(signal)
    return hasJoined
  }

  disconnected(): void {
    this.#follower.disconnected()
  }

  onMessage(payload: Record<string, unknown>): void {
    const entry = entryOf(payload)
    if (entry === undefined) this.recordForeign(JSON.stringify(payload))
    else this.#follower.live(entry)
  }

  /** A message that cannot be meant for this room. */
  recordForeign(text: string): void {
    this.#member?.recordForeign(text)
  }

  onGap(payload: Record<string, unknown>): void {
    this.#follower.gap(Number(payload.from), Number(payload.to))
    void this.#fetch(this.#signal)
  }

  /** The log was replaced, or the server does not know that the client has joined. */
  rejoin(): void {
    this.#follower.logReplaced()
    if (!this.#isJoining) void this.join(this.#signal)
  }

  begin(epoch: string, head: number): void {
    const { plan, recorder, absences, clock } = this.#context
    if (this.#member !== undefined) this.#heads.forget(this.#room)
    this.#member?.left(clock())
    this.#member = recorder.open({ client: plan.index, room: this.#room, head, epoch, absences })
    this.#member.joined(clock())
  }

  show({ seq, id, text }: Entry): void {
    const { clock, counters, recovery } = this.#context
    const now = clock()
    const dueAt = text === undefined ? Number.NaN : dueAtFrom(text)
    this.#member?.show(id, now, seq)
    counters.delivered(now - dueAt)
    recovery.shown(dueAt, now)
  }

  async #joinOnce(): Promise<Outcome> {
    const { position } = this.#follower
    this.#follower.joinRequested()
    // Messages before its first join are not expected.
    const limit = position === undefined ? 1 : HISTORY_MAX
    const answer = await this.#ask('room:join', { room: this.#room, limit, ...position })
    const page = isOk(answer) ? pageOf(answer) : undefined
    if (page === undefined) return this.#refused('join', answer)
    this.#follower.joined(page)
    return 'done'
  }

  /** Fetches page after page until nothing is missing. */
  async #fetch(signal: AbortSignal): Promise<void> {
    if (this.#isFetching) return
    this.#isFetching = true
    try {
      while (!signal.aborted && this.#follower.missingAfter !== undefined)
        await retry({ signal, random: this.#context.random }, () => this.#fetchOnce())
    } finally {
      this.#isFetching = false
    }
    if (signal !== this.#signal) void this.#fetch(this.#signal)
  }

  async #fetchOnce(): Promise<Outcome> {
    const after = this.#follower.missingAfter
    if (after === undefined) return 'done'
    const answer = await this.#ask('room:history', { room: this.#room, after, limit: HISTORY_MAX })
    const page = isOk(answer) ? pageOf(answer) : undefined
    if (page === undefined) return this.#refused('history', answer)
    if (!this.#follower.fetched(after, page)) this.rejoin()
    return 'done'
  }

  #ask(event: string, payload: unknown): Promise<unknown> {
    return this.#context.connection.request(event, payload, ANSWER_MS)
  }

  #refused(what: string, answer: unknown): Outcome {
    const { code, retryable, retryAfterMs } = refusalOf(answer)
    this.#context.counters.connectFailed(`${what}: ${code}`)
    if (!isRecord(answer)) return 'again'
    return retryable || code === 'not_joined' ? retryAfterMs : 'never'
  }
}
