/**
 * The queue of messages to send: their order, when each may be tried again, and their state. Pure; sends
 * nothing itself.
 *
 * Order: at most `inFlight` messages of one room are in flight, oldest first. With 1, no message can overtake
 * another, whatever is refused or lost. Rooms do not wait for each other.
 */
import { type BackOff, retryDelayMs } from '../connection/back-off.ts'
import { ChatError, type ErrorShape } from '../errors.ts'
import type { Pending } from './storage.ts'

/** `acked`: the server has it under `seq`; it stays here until the log shows it. */
export type SendState = 'waiting' | 'in_flight' | 'acked' | 'failed'

export interface Send {
  readonly pending: Pending
  readonly bytes: number
  state: SendState
  /** Earliest time of the next attempt, monotonic milliseconds. */
  dueAt: number
  failures: number
  contradictions: number
  seq?: number
  error?: ErrorShape
}

export interface OutboxBounds {
  pendingMax: number
  pendingMaxBytes: number
  /** Messages of one room in flight at once. */
  inFlight: number
  backOff: BackOff
}

/** Acked messages that the log has not shown yet. They are kept only to compare the ack with the log. */
const ACKED_MAX = 200
const CONTRADICTIONS_MAX = 3

export class Outbox {
  readonly #bounds: OutboxBounds
  readonly #sends = new Map<string, Send>()
  /** The server is rate limiting: nothing is sent before this time. */
  #pausedUntil = 0

  constructor(bounds: OutboxBounds) {
    this.#bounds = bounds
  }

  /** Messages that are neither acked nor failed. */
  get waiting(): number {
    let count = 0
    for (const { state } of this.#sends.values()) if (state === 'waiting' || state === 'in_flight') count += 1
    return count
  }

  get size(): number {
    return this.#sends.size
  }

  get(id: string): Send | undefined {
    return this.#sends.get(id)
  }

  of(room: string): Send[] {
    return [...this.#sends.values()].filter((send) => send.pending.room === room)
  }

  all(): Send[] {
    return [...this.#sends.values()]
  }

  /** @throws `too_many_pending`, `too_large` */
  add(pending: Pending): Send {
    const bytes = bytesOf(pending)
    const { pendingMax, pendingMaxBytes } = this.#bounds
    // Acked messages do not count: they need no further request.
    const unacked = this.all().filter(({ state }) => state !== 'acked')
    const unackedBytes = unacked.reduce((sum, send) => sum + send.bytes, 0)
    if (unacked.length >= pendingMax || unackedBytes + bytes > pendingMaxBytes) {
      const message = `at most ${pendingMax} messages and ${pendingMaxBytes} bytes may wait to be sent`
      throw new ChatError({ code: 'too_many_pending', message, retryable: true })
    }
    return this.#put(pending, bytes)
  }

  /**
   * Puts the messages of an earlier run before those of this one. The limits do not apply: they were accepted
   * already.
   */
  restore(kept: readonly Pending[]): void {
    const own = this.all()
    const ids = new Set(own.map(({ pending }) => pending.id))
    this.#sends.clear()
    for (const pending of kept.toSorted((a, b) => a.order - b.order)) {
      if (ids.has(pending.id)) continue
      const send = this.#put(pending, bytesOf(pending))
      if (pending.failed !== undefined) this.#fail(send, pending.failed as ErrorShape)
    }
    for (const send of own) this.#sends.set(send.pending.id, send)
  }

  /** Takes the messages to send now; they are in flight from then on. */
  take(now: number, canSend: (room: string) => boolean): Send[] {
    if (now < this.#pausedUntil) return []
    const taken: Send[] = []
    for (const send of this.#sendableFirst()) {
      if (send.state !== 'waiting' || send.dueAt > now || !canSend(send.pending.room)) continue
      send.state = 'in_flight'
      taken.push(send)
    }
    return taken
  }

  /**
   * When the next `take` can return something, for rooms that can send; undefined if only an event can change
   * that.
   */
  nextAt(canSend: (room: string) => boolean): number | undefined {
    const times = this.#sendableFirst()
      .filter((send) => send.state === 'waiting' && canSend(send.pending.room))
      .map(({ dueAt }) => Math.max(dueAt, this.#pausedUntil))
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** The server has stored it. @returns false if it is no longer in the queue */
  acked(id: string, seq: number): boolean {
    const send = this.#sends.get(id)
    if (send === undefined || send.state === 'failed') return false
    send.state = 'acked'
    send.seq = seq
    this.#boundAcked()
    return true
  }

  /** The server refused it, or did not answer. @returns the message if that is final */
  refused(id: string, error: ChatError, now: number): Send | undefined {
    const send = this.#sends.get(id)
    if (send?.state !== 'in_flight') return undefined
    if (!error.retryable && error.code !== 'not_joined') return this.#fail(send, shapeOf(error))
    send.state = 'waiting'
    send.failures += 1
    const delayMs = retryDelayMs(this.#bounds.backOff, send.failures, error.retryAfterMs)
    send.dueAt = now + delayMs
    if (error.code === 'rate_limited') this.#pausedUntil = Math.max(this.#pausedUntil, now + delayMs)
    return undefined
  }

  /** Messages in flight are sent again after the reconnect. The server deduplicates them by id. */
  disconnected(): void {
    for (const send of this.#sends.values()) if (send.state === 'in_flight') send.state = 'waiting'
    this.retryNow()
  }

  /** Resets all delays: the reason for waiting is gone. */
  retryNow(): void {
    this.#pausedUntil = 0
    for (const send of this.#sends.values()) {
      send.dueAt = 0
      send.failures = 0
    }
  }

  /** Removes it: the log has it, or it was discarded. @returns the message */
  remove(id: string): Send | undefined {
    const send = this.#sends.get(id)
    if (send === undefined) return undefined
    this.#sends.delete(id)
    return send
  }

  /** The log has another entry under the number of its ack. @returns the message if it has failed for good */
  contradicted(id: string, now: number): Send | undefined {
    const send = this.#sends.get(id)
    if (send?.state !== 'acked') return undefined
    send.contradictions += 1
    if (send.contradictions >= CONTRADICTIONS_MAX) {
      const message = 'the server acked it under a number that its log gives to another message'
      return this.#fail(send, { code: 'contradicted', message, retryable: true })
    }
    this.#requeue(send)
    send.failures = send.contradictions
    send.dueAt = now + retryDelayMs(this.#bounds.backOff, send.failures)
    return undefined
  }

  /** The log that acked them is gone: queues the messages again that it has not shown. */
  resendAcked(room: string): Send[] {
    const lost = this.of(room).filter(({ state }) => state === 'acked')
    for (const send of lost) this.#requeue(send)
    return lost
  }

  /** Fails all unacked messages of the room. */
  refuseRoom(room: string, error: ErrorShape): Send[] {
    const refused = this.of(room).filter(({ state }) => state === 'waiting' || state === 'in_flight')
    return refused.map((send) => this.#fail(send, error))
  }

  refuse(id: string, error: ErrorShape): Send | undefined {
    const send = this.#sends.get(id)
    return send === undefined ? undefined : this.#fail(send, error)
  }

  /** Removes a failed message, to be retried or discarded. */
  takeFailed(id: string): Send | undefined {
    return this.#sends.get(id)?.state === 'failed' ? this.remove(id) : undefined
  }

  #put(pending: Pending, bytes: number): Send {
    const send: Send = { pending, bytes, state: 'waiting', dueAt: 0, failures: 0, contradictions: 0 }
    this.#sends.set(pending.id, send)
    return send
  }

  #requeue(send: Send): void {
    send.state = 'waiting'
    send.dueAt = 0
    delete send.seq
  }

  #fail(send: Send, error: ErrorShape): Send {
    send.state = 'failed'
    send.error = error
    return send
  }

  /**
   * The oldest unacked messages of each room, up to `inFlight`. One that waits for a retry blocks those
   * behind it.
   */
  #sendableFirst(): Send[] {
    const slots = new Map<string, number>()
    const next: Send[] = []
    for (const send of this.#sends.values()) {
      if (send.state !== 'waiting' && send.state !== 'in_flight') continue
      const { room } = send.pending
      const left = slots.get(room) ?? this.#bounds.inFlight
      if (left <= 0) continue
      next.push(send)
      const isBlocking = send.state === 'waiting' && send.failures > 0
      slots.set(room, isBlocking ? 0 : left - 1)
    }
    return next
  }

  #boundAcked(): void {
    const acked = this.all().filter(({ state }) => state === 'acked')
    for (const { pending } of acked.slice(0, Math.max(0, acked.length - ACKED_MAX))) this.remove(pending.id)
  }
}

export function shapeOf({ code, message, retryable }: ChatError): ErrorShape {
  return { code, message, retryable }
}

/** An estimate of its UTF-8 bytes and its memory. */
function bytesOf({ text = '', data }: Pending): number {
  const dataChars = data === undefined ? 0 : JSON.stringify(data).length
  return (text.length + dataChars) * 3 + 256
}
