/**
 * Sends the server how far the user has read in one room: the newest position only, one request at a time.
 */
import { noop } from '../connection/clock.ts'
import { ChatError } from '../errors.ts'
import type { RoomContext } from './room-context.ts'

export class ReadMarker {
  readonly #room: string
  readonly #context: RoomContext
  #read = 0
  #sent = 0
  #isSending = false

  constructor(room: string, context: RoomContext) {
    this.#room = room
    this.#context = context
  }

  /** Never moves backwards. */
  set(seq: number): void {
    this.#read = Math.max(this.#read, seq)
  }

  /** The log was renumbered. */
  clear(): void {
    this.#read = 0
    this.#sent = 0
  }

  /**
   * Sends the marker if the server does not know it. After a retryable failure the next marker or the next
   * join sends it.
   */
  async send(): Promise<void> {
    if (this.#isSending || this.#read <= this.#sent) return
    this.#isSending = true
    const seq = this.#read
    try {
      await this.#context.request('room:read', { room: this.#room, seq }, noop)
      this.#sent = seq
    } catch (error) {
      if (!ChatError.from(error).retryable) this.#sent = seq
      return
    } finally {
      this.#isSending = false
    }
    await this.send()
  }
}
