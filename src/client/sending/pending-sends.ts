/**
 * The user's messages from writing until the log shows them, they are discarded, or the client is closed.
 * Keeps the outbox, the storage and the `settled` promises consistent. Sends nothing itself.
 */
import type { Author } from '../../wire/entry.ts'
import type { Clock } from '../connection/clock.ts'
import type { Entry } from '../connection/guards.ts'
import type { ChatError, ErrorShape } from '../errors.ts'
import type { ChatMessage } from '../timeline/messages.ts'
import { newId } from './ids.ts'
import { type Outbox, type Send, shapeOf } from './outbox.ts'
import { messageOfSend, type SendActions } from './pending-messages.ts'
import type { Persistence } from './persistence.ts'
import type { Pending } from './storage.ts'

export interface PendingSendsOptions {
  outbox: Outbox
  persistence: Persistence
  clock: Clock
  readonly user: () => Author | undefined
  /** The author's name until the server has reported the user. */
  guestName: string
  /** Messages of this room have changed. */
  readonly changed: (room: string) => void
  /** The number of waiting messages may have changed. */
  readonly countChanged: () => void
  /** There may be something to send. */
  readonly pump: () => void
}

export type SendContent = { kind: string; text?: string; target?: number; data?: unknown }

export class PendingSends implements SendActions {
  readonly #options: PendingSendsOptions
  readonly #resolvers = new Map<string, (message: ChatMessage) => void>()

  constructor(options: PendingSendsOptions) {
    this.#options = options
  }

  author(): Author {
    return this.#options.user() ?? { id: '', name: this.#options.guestName }
  }

  /** @throws `too_many_pending` */
  enqueue(room: string, content: SendContent): { send: Send; settled: Promise<ChatMessage> } {
    const { outbox, persistence, clock, countChanged, pump } = this.#options
    const pending: Pending = {
      id: newId(),
      room,
      ...content,
      at: clock.wallNow(),
      order: 0,
      ...this.#owner(),
    }
    const send = outbox.add(pending)
    persistence.put(pending)
    const settled = new Promise<ChatMessage>((resolve) => this.#resolvers.set(pending.id, resolve))
    countChanged()
    pump()
    return { send, settled }
  }

  /** Assigns messages without an author to the connected user and fails those of other users. */
  claim(): void {
    const { outbox, persistence, user, changed } = this.#options
    const userId = user()?.id
    if (userId === undefined) return
    for (const { pending, state } of outbox.all()) {
      if (pending.user === undefined) {
        pending.user = userId
        persistence.put(pending)
      } else if (pending.user !== userId && state !== 'failed') {
        outbox.refuse(pending.id, { code: 'other_user', message: 'another user wrote it', retryable: false })
        changed(pending.room)
      }
    }
  }

  acked(send: Send): void {
    this.#options.persistence.delete(send.pending.id)
    this.#resolve(send)
  }

  /** The log has an entry of the user's own. */
  confirmed(room: string, entry: Entry): void {
    const { outbox, persistence, countChanged, pump } = this.#options
    const send = outbox.get(entry.id)
    if (send === undefined || send.pending.room !== room) return
    outbox.remove(entry.id)
    if (send.state !== 'acked') persistence.delete(entry.id)
    send.state = 'acked'
    send.seq = entry.seq
    this.#resolve(send)
    pump()
    countChanged()
  }

  contradicted(send: Send): void {
    const failed = this.#options.outbox.contradicted(send.pending.id, this.#options.clock.now())
    if (failed === undefined) this.#options.pump()
    else this.persistFailed(failed)
  }

  /** The log that acked them is gone: they are sent again. */
  resendAcked(room: string): number {
    const lost = this.#options.outbox.resendAcked(room)
    for (const { pending } of lost) this.#options.persistence.put(pending)
    return lost.length
  }

  refuseRoom(room: string, error: ChatError): void {
    for (const send of this.#options.outbox.refuseRoom(room, shapeOf(error))) this.persistFailed(send)
    this.#options.changed(room)
  }

  /** Stores the failure, so that a later run knows it. */
  persistFailed({ pending, error }: Send): void {
    if (error !== undefined) pending.failed = failedOf(error)
    this.#options.persistence.put(pending)
  }

  /** The room was left: discards its messages. */
  discardRoom(room: string): void {
    for (const send of this.#options.outbox.of(room)) {
      this.#options.outbox.remove(send.pending.id)
      this.#options.persistence.delete(send.pending.id)
      this.#resolve(send)
    }
    this.#options.countChanged()
  }

  /**
   * Queues a failed message again at the end, under its own id, so that it is not shown twice. After a
   * conflict it needs a new id.
   */
  retry(id: string): void {
    const { outbox, persistence, changed, pump } = this.#options
    const send = outbox.takeFailed(id)
    if (send === undefined) return
    const { failed: _failed, user: _user, ...rest } = send.pending
    const isConflict = send.error?.code === 'conflict'
    const pending: Pending = { ...rest, ...this.#owner(), id: isConflict ? newId() : id, order: 0 }
    if (isConflict) persistence.delete(id)
    outbox.add(pending)
    persistence.put(pending)
    changed(pending.room)
    pump()
  }

  discard(id: string): void {
    const send = this.#options.outbox.takeFailed(id)
    if (send === undefined) return
    this.#options.persistence.delete(id)
    this.#options.changed(send.pending.room)
  }

  resolveFailed(room: string): void {
    for (const send of this.#options.outbox.of(room)) if (send.state === 'failed') this.#resolve(send)
  }

  /** The client is closed: resolves all promises with the current state. */
  resolveAll(): void {
    for (const send of this.#options.outbox.all()) this.#resolve(send)
  }

  #owner(): { user?: string } {
    const user = this.#options.user()
    return user === undefined ? {} : { user: user.id }
  }

  #resolve(send: Send): void {
    const { id } = send.pending
    this.#resolvers.get(id)?.(messageOfSend(send, this))
    this.#resolvers.delete(id)
  }
}

function failedOf({ code, message, retryable }: ErrorShape): NonNullable<Pending['failed']> {
  return { code, message, retryable }
}
