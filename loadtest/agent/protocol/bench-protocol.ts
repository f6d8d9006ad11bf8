/**
 * A client of `apps/bench.js`, over Socket.IO or bare: joins after each connect, sends each message once. What is lost on the way
 * is lost, as it is for an application that does no more than this.
 */

import { RequestFailed } from '../../connection/connection.ts'
import { dueAtFrom, idOf, textOf } from '../../model/delivery-records.ts'
import { type Desk, type DueSend, roomOf, type Talk } from '../client-context.ts'
import type { MemberBook } from '../record/recorder.ts'
import { isOk, isRecord } from './responses.ts'
import { type Outcome, retry } from './retry.ts'

const ANSWER_MS = 10_000

export class BenchTalk implements Talk {
  readonly #desk: Desk
  readonly #books = new Map<string, MemberBook>()
  #unanswered = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  get owed(): number {
    return this.#unanswered
  }

  get unanswered(): number {
    return this.#unanswered
  }

  join(signal: AbortSignal): Promise<boolean> {
    const { plan } = this.#desk
    if (plan.rooms.length === 0) return Promise.resolve(true)
    return retry({ signal, random: this.#desk.random }, () => this.#joinOnce())
  }

  onEvent(event: string, payload: unknown): void {
    if (event !== 'message') return
    const { clock, tally, revival } = this.#desk
    const now = clock()
    const { room, id, text } = isRecord(payload) ? payload : {}
    const book = typeof room === 'string' ? this.#books.get(room) : undefined
    if (book === undefined) {
      const [first] = this.#books.values()
      first?.stranger(`${String(id)} in ${String(room)}`)
      return
    }
    book.show(id, now)
    const dueAt = typeof text === 'string' ? dueAtFrom(text) : Number.NaN
    tally.delivered(now - dueAt)
    revival.shown(dueAt, now)
  }

  onLost(): void {
    // What was under way rejects by itself.
  }

  onLive(): void {
    // Nothing waits.
  }

  send(send: DueSend): void {
    const { plan, tally, isLive } = this.#desk
    const room = roomOf(plan, send.pick)
    if (room === undefined || !isLive) tally.refused('offline')
    else void this.#publish(room, send)
  }

  async #publish(room: string, { dueAt, textLength }: DueSend): Promise<void> {
    const { plan, connection, journal, tally, revival, clock } = this.#desk
    const key = journal.nextKey(plan.index)
    const row = journal.sent(key, room, clock())
    tally.sent()
    this.#unanswered += 1
    try {
      const payload = { room, id: idOf(journal.run, key), text: textOf(dueAt, textLength) }
      const answer = await connection.request('publish', payload, ANSWER_MS)
      const now = clock()
      if (isOk(answer)) {
        journal.acked(row, now)
        tally.acked(now - dueAt)
        revival.acked(dueAt, now)
      } else {
        journal.refused(row)
        tally.refused('refused')
      }
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      tally.unanswered()
    } finally {
      this.#unanswered -= 1
    }
  }

  async #joinOnce(): Promise<Outcome> {
    const { plan, connection, journal, tally, clock, absences } = this.#desk
    // Before the answer: messages may come ahead of it.
    for (const room of plan.rooms)
      if (!this.#books.has(room)) this.#books.set(room, journal.open({ client: plan.index, room, absences }))
    const answer = await connection.request('join', { rooms: plan.rooms }, ANSWER_MS)
    if (!isOk(answer)) {
      tally.connectFailed('join refused')
      return 'again'
    }
    for (const book of this.#books.values()) book.joined(clock())
    return 'done'
  }
}
