/**
 * A client of `apps/bench.js`, over Socket.IO or bare. Joins after each connect, and sends each message once.
 * Lost messages stay lost, as in an application that does no more than this.
 */

import { RequestFailed } from '../../connection/connection.ts'
import { dueAtFrom, idOf, textOf } from '../../model/delivery-records.ts'
import { type ClientContext, type ClientProtocol, type DueSend, roomOf } from '../client-context.ts'
import type { MemberRecorder } from '../record/recorder.ts'
import { isOk, isRecord } from './responses.ts'
import { type Outcome, retry } from './retry.ts'

const ANSWER_MS = 10_000

export class BenchProtocol implements ClientProtocol {
  readonly #context: ClientContext
  readonly #members = new Map<string, MemberRecorder>()
  #unanswered = 0

  constructor(context: ClientContext) {
    this.#context = context
  }

  get outstanding(): number {
    return this.#unanswered
  }

  get unanswered(): number {
    return this.#unanswered
  }

  join(signal: AbortSignal): Promise<boolean> {
    const { plan } = this.#context
    if (plan.rooms.length === 0) return Promise.resolve(true)
    return retry({ signal, random: this.#context.random }, () => this.#joinOnce())
  }

  onEvent(event: string, payload: unknown): void {
    if (event !== 'message') return
    const { clock, counters, recovery } = this.#context
    const now = clock()
    const { room, id, text } = isRecord(payload) ? payload : {}
    const member = typeof room === 'string' ? this.#members.get(room) : undefined
    if (member === undefined) {
      const [first] = this.#members.values()
      first?.recordForeign(`${String(id)} in ${String(room)}`)
      return
    }
    member.show(id, now)
    const dueAt = typeof text === 'string' ? dueAtFrom(text) : Number.NaN
    counters.delivered(now - dueAt)
    recovery.shown(dueAt, now)
  }

  onDisconnect(): void {
    // Outstanding requests reject on their own.
  }

  onLive(): void {
    // Nothing is queued.
  }

  send(send: DueSend): void {
    const { plan, counters, isLive } = this.#context
    const room = roomOf(plan, send.pick)
    if (room === undefined || !isLive) counters.refused('offline')
    else void this.#publish(room, send)
  }

  async #publish(room: string, { dueAt, textLength }: DueSend): Promise<void> {
    const { plan, connection, recorder, counters, recovery, clock } = this.#context
    const key = recorder.nextKey(plan.index)
    const row = recorder.sent(key, room, clock())
    counters.sent()
    this.#unanswered += 1
    try {
      const payload = { room, id: idOf(recorder.run, key), text: textOf(dueAt, textLength) }
      const answer = await connection.request('publish', payload, ANSWER_MS)
      const now = clock()
      if (isOk(answer)) {
        recorder.acked(row, now)
        counters.acked(now - dueAt)
        recovery.acked(dueAt, now)
      } else {
        recorder.refused(row)
        counters.refused('refused')
      }
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      counters.unanswered()
    } finally {
      this.#unanswered -= 1
    }
  }

  async #joinOnce(): Promise<Outcome> {
    const { plan, connection, recorder, counters, clock, absences } = this.#context
    // Before the response: messages may arrive ahead of it.
    for (const room of plan.rooms)
      if (!this.#members.has(room))
        this.#members.set(room, recorder.open({ client: plan.index, room, absences }))
    const answer = await connection.request('join', { rooms: plan.rooms }, ANSWER_MS)
    if (!isOk(answer)) {
      counters.connectFailed('join refused')
      return 'again'
    }
    for (const member of this.#members.values()) member.joined(clock())
    return 'done'
  }
}
