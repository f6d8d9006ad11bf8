/** How far the user has read in one room, told to the server: the furthest alone, one request at a time. */
import { ChatError } from '../errors.ts'
import type { RoomDesk } from './room-context.ts'

export class ReadMark {
  readonly #room: string
  readonly #desk: RoomDesk
  #read = 0
  #told = 0
  #isAsking = false

  constructor(room: string, desk: RoomDesk) {
    this.#room = room
    this.#desk = desk
  }

  /** Never goes back. */
  set(seq: number): void {
    this.#read = Math.max(this.#read, seq)
  }

  /** The numbers begin anew. */
  clear(): void {
    this.#read = 0
    this.#told = 0
  }

  /** Tells it if it has not been told. What fails for now is told with the next mark, or after the next join. */
  async tell(): Promise<void> {
    if (this.#isAsking || this.#read <= this.#told) return
    this.#isAsking = true
    const seq = this.#read
    try {
      await this.#desk.request('room:read', { room: this.#room, seq })
      this.#told = seq
    } catch (error) {
      if (!ChatError.from(error).retryable) this.#told = seq
      return
    } finally {
      this.#isAsking = false
    }
    await this.tell()
  }
}
