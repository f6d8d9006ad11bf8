/**
 * `bench`, `bare`: messages of one sender must arrive in the order in which it sent them. In addition, though
 * Socket.IO does not promise it, this checks whether all members have the same order. The reference is the
 * member with the most deliveries. Of the messages that both have, each neighbouring pair that the reference
 * has reversed counts once.
 */
import { senderOf } from '../model/delivery-records.ts'
import type { Order, ShownRecord } from './order.ts'

export class SenderOrder implements Order {
  misplaced = false
  differs = false
  /** By index of a send: position of its sender. */
  readonly #sender: Uint32Array
  /** By sender: index of its latest delivered message. */
  readonly #latest: Int32Array
  /** By index of a send: its position in the reference; -1: none. */
  readonly #position: Int32Array
  #previous = -1

  constructor(keys: Float64Array, reference: readonly ShownRecord[]) {
    this.#sender = sendersOf(keys)
    this.#latest = new Int32Array((this.#sender.at(-1) ?? -1) + 1)
    this.#position = positionsOf(keys.length, reference)
  }

  begin(_shown: ShownRecord, afresh: boolean): void {
    if (!afresh) return
    this.#latest.fill(-1)
    this.#previous = -1
  }

  take(index: number): void {
    const sender = this.#sender[index] ?? 0
    this.misplaced = index < (this.#latest[sender] ?? -1)
    if (!this.misplaced) this.#latest[sender] = index
    const position = this.#position[index] ?? -1
    this.differs = position >= 0 && position < this.#previous
    if (position >= 0) this.#previous = position
  }

  reason(): string {
    return this.misplaced ? 'after a later one of its sender' : 'after one that others got later'
  }
}

function sendersOf(keys: Float64Array): Uint32Array {
  const senders = new Uint32Array(keys.length)
  for (let index = 1; index < keys.length; index += 1) {
    const same = senderOf(keys[index] ?? 0) === senderOf(keys[index - 1] ?? 0)
    senders[index] = (senders[index - 1] ?? 0) + (same ? 0 : 1)
  }
  return senders
}

function positionsOf(length: number, reference: readonly ShownRecord[]): Int32Array {
  const positions = new Int32Array(length).fill(-1)
  let position = 0
  for (const { places } of reference)
    for (const index of places) {
      if (index >= 0 && positions[index] === -1) positions[index] = position
      position += 1
    }
  return positions
}
