/**
 * Sends the messages of the outbox when they are due and their room is joined, and reports the results. Order
 * and retries are decided by the outbox.
 */
import type { ChatLimits } from '../../wire/chat.ts'
import type { AppendResult } from '../../wire/entry.ts'
import { isOwnKind } from '../../wire/entry-data.ts'
import { type Clock, Timer } from '../connection/clock.ts'
import type { Connection } from '../connection/connection.ts'
import { isSeq } from '../connection/guards.ts'
import { ChatError } from '../errors.ts'
import type { Outbox, Send } from './outbox.ts'
import type { Pending } from './storage.ts'

export interface SenderOptions {
  outbox: Outbox
  clock: Clock
  connection: () => Connection
  limits: () => ChatLimits | undefined
  /** Whether the room is joined on the current connection. */
  canSend: (room: string) => boolean
  /** A message of this room has changed. */
  changed: (room: string) => void
  acked: (send: Send) => void
  /** The refusal is final. */
  refused: (send: Send) => void
  notJoined: (room: string) => void
}

export class Sender {
  readonly #options: SenderOptions
  readonly #timer: Timer
  #loaded = false
  #closed = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#timer = new Timer(options.clock, () => this.pump())
  }

  /** Nothing is sent before the messages of an earlier run are loaded, because they go first. */
  loaded(): void {
    this.#loaded = true
    this.pump()
  }

  pump(): void {
    const { outbox, clock, canSend } = this.#options
    if (this.#closed || !this.#loaded || !this.#options.connection().open) return
    const now = clock.now()
    for (const send of outbox.take(now, canSend)) void this.#send(send)
    const nextAt = outbox.nextAt(canSend)
    if (nextAt !== undefined) this.#timer.schedule(Math.max(0, nextAt - now))
  }

  close(): void {
    this.#closed = true
    this.#timer.cancel()
  }

  async #send(send: Send): Promise<void> {
    const { outbox, clock, acked, refused, changed, notJoined } = this.#options
    const { id, room } = send.pending
    try {
      this.#check(send.pending)
      const seq = await this.#request(send.pending)
      if (!isSeq(seq))
        throw new ChatError({ code: 'bad_answer', message: 'acked without a number', retryable: true })
      if (outbox.acked(id, seq)) acked(send)
    } catch (error) {
      const refusal = ChatError.from(error)
      // The client was closed: the message stays in the storage for the next run.
      if (this.#closed || refusal.code === 'closed') return
      const failed = outbox.refused(id, refusal, clock.now())
      if (failed !== undefined) refused(failed)
      if (refusal.code === 'not_joined') notJoined(room)
    }
    changed(room)
    this.pump()
  }

  /** Resolves with the sequence number of the answer. */
  #request(pending: Pending): Promise<unknown> {
    const connection = this.#options.connection()
    const { id, room, kind, text = '', target = 0, data } = pending
    if (isOwnKind(kind)) return connection.request('entry:append', { room, id, kind, data }, seqOf)
    if (kind === 'edit') return connection.request('message:edit', { room, id, target, text }, seqOf)
    if (kind === 'remove') return connection.request('message:remove', { room, id, target }, seqOf)
    return connection.request('message:send', { room, id, text }, seqOf)
  }

  /** Rejects texts that the server would refuse or close the connection for. */
  #check({ text = '' }: Pending): void {
    const max = this.#options.limits()?.textMaxChars
    if (max === undefined || text.length <= max) return
    let chars = 0
    for (const _ of text) chars += 1
    if (chars <= max) return
    const message = `a text has at most ${max} characters`
    throw new ChatError({ code: 'too_large', message, retryable: false })
  }
}

function seqOf({ seq }: AppendResult): unknown {
  return seq
}
