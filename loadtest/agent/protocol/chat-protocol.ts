/**
 * A client of the chat. Follows its rooms across connections, and sends each message with the same id until
 * it has a final answer. What becomes due while it is away is sent after it is back, as a user's client does.
 */

import { retryDelayMs } from '../../../src/client/connection/back-off.ts'
import { abortableDelay } from '../../../src/core/delay.ts'
import { RequestFailed } from '../../connection/connection.ts'
import { idOf, textOf } from '../../model/delivery-records.ts'
import { type ClientContext, type ClientProtocol, type DueSend, roomOf } from '../client-context.ts'
import { ANSWER_MS, ChatRoom } from './chat-room.ts'
import { isOk, isRecord, refusalOf } from './responses.ts'
import type { RoomHeads } from './room-heads.ts'

/** Most sends of one client that wait for an answer or a connection; further due messages are not sent. */
const BACKLOG = 1_000
const RETRY_DELAYS = { baseMs: 100, maxMs: 2_000 }
/**
 * Most sends of one client in flight or retried; the others wait, so a backlog does not arrive as one burst.
 */
const MAX_CONCURRENT_SENDS = 8
/** Per client. */
const MAX_CONCURRENT_JOINS = 4

interface Send extends DueSend {
  room: string
  key: number
  /** Row in the recorder, from the first attempt on. */
  row: number | undefined
}

export class ChatProtocol implements ClientProtocol {
  readonly #context: ClientContext
  readonly #heads: RoomHeads
  readonly #rooms: ReadonlyMap<string, ChatRoom>
  readonly #waiting: (() => void)[] = []
  /** Waiting sends; each is resumed when an earlier one is done. */
  readonly #line: (() => void)[] = []
  #underWay = 0
  #unanswered = 0

  constructor(context: ClientContext, heads: RoomHeads) {
    this.#context = context
    this.#heads = heads
    this.#rooms = new Map(context.plan.rooms.map((room) => [room, new ChatRoom(room, context, heads)]))
  }

  get outstanding(): number {
    if (this.#context.plan.reads === 'never') return this.#unanswered
    return [...this.#rooms.values()].reduce((sum, { outstanding }) => sum + outstanding, this.#unanswered)
  }

  get unanswered(): number {
    return this.#unanswered
  }

  async join(signal: AbortSignal): Promise<boolean> {
    const rooms = [...this.#rooms.values()]
    const joined: boolean[] = []
    const next = async () => {
      for (let room = rooms.shift(); room !== undefined; room = rooms.shift())
        joined.push(await room.join(signal))
    }
    await Promise.all(Array.from({ length: MAX_CONCURRENT_JOINS }, next))
    return !joined.includes(false)
  }

  onEvent(event: string, payload: unknown): void {
    if (!isRecord(payload) || typeof payload.room !== 'string') return
    const room = this.#rooms.get(payload.room)
    if (event === 'message' && room === undefined) this.#recordMisdelivered(payload)
    else if (event === 'message') room?.onMessage(payload)
    else if (event === 'gap') room?.onGap(payload)
    else if (event === 'epoch') room?.rejoin()
  }

  /** A message for a room that this client is not in: recorded with one of its rooms. */
  #recordMisdelivered({ room, id }: Record<string, unknown>): void {
    const [first] = this.#rooms.values()
    first?.recordForeign(`${String(id)} in ${String(room)}`)
  }

  onDisconnect(): void {
    for (const room of this.#rooms.values()) room.disconnected()
  }

  onLive(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  send(send: DueSend): void {
    const { plan, recorder, counters } = this.#context
    const room = roomOf(plan, send.pick)
    if (room === undefined || this.#unanswered >= BACKLOG) return counters.refused('backlog')
    void this.#deliver({ ...send, room, key: recorder.nextKey(plan.index), row: undefined })
  }

  async #deliver(send: Send): Promise<void> {
    const { ended, random } = this.#context
    this.#unanswered += 1
    if (this.#underWay < MAX_CONCURRENT_SENDS) this.#underWay += 1
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    for (let failures = 1; !ended.aborted; failures += 1) {
      if (!this.#context.isLive) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      const outcome = await this.#try(send)
      if (outcome === 'done') break
      await abortableDelay(retryDelayMs({ ...RETRY_DELAYS, random }, failures, outcome), ended)
    }
    this.#unanswered -= 1
    const next = this.#line.shift()
    if (next === undefined) this.#underWay -= 1
    else next()
  }

  /** @returns `done`, or the shortest delay before the next attempt, in milliseconds */
  async #try(send: Send): Promise<'done' | number> {
    const { connection, recorder, counters, clock } = this.#context
    if (send.row === undefined) {
      send.row = recorder.sent(send.key, send.room, clock())
      counters.sent()
    }
    const payload = {
      room: send.room,
      id: idOf(recorder.run, send.key),
      text: textOf(send.dueAt, send.textLength),
    }
    try {
      const answer = await connection.request('message:send', payload, ANSWER_MS)
      return isOk(answer) ? this.#acked(send, send.row, answer) : this.#refused(send, send.row, answer)
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      return 0
    }
  }

  #acked({ room, dueAt }: Send, row: number, answer: Record<string, unknown>): 'done' {
    const { recorder, counters, recovery, clock } = this.#context
    const now = clock()
    const seq = Number(answer.seq)
    recorder.acked(row, now, seq)
    counters.acked(now - dueAt)
    recovery.acked(dueAt, now)
    this.#heads.reached(room, seq)
    return 'done'
  }

  #refused({ room }: Send, row: number, answer: unknown): 'done' | number {
    const { recorder, counters } = this.#context
    const { code, retryable, retryAfterMs } = refusalOf(answer)
    counters.refused(code)
    if (code === 'not_joined') this.#rooms.get(room)?.rejoin()
    if (retryable || code === 'not_joined') return retryAfterMs
    recorder.refused(row)
    return 'done'
  }
}
