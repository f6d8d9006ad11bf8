/**
 * Acknowledgements that clients of this worker owe to a broadcast of another worker. Removes the sockets'
 * callbacks when the acknowledgements do not arrive in time.
 */
import type { Namespace } from 'socket.io'

interface Expected {
  acks: number
  timer: NodeJS.Timeout
}

export class ClientAcks {
  readonly #nsp: Namespace
  readonly #expected = new Map<number, Expected>()

  constructor(nsp: Namespace) {
    this.#nsp = nsp
  }

  get size(): number {
    return this.#expected.size
  }

  /** @param packetId the id under which the sockets hold their callbacks */
  expect(packetId: number, acks: number, timeoutMs: number): void {
    if (acks === 0) return
    const timer = setTimeout(() => this.#forget(packetId), timeoutMs)
    this.#expected.set(packetId, { acks, timer })
  }

  received(packetId: number): void {
    const expected = this.#expected.get(packetId)
    if (expected === undefined) return
    expected.acks -= 1
    if (expected.acks > 0) return
    clearTimeout(expected.timer)
    this.#expected.delete(packetId)
  }

  close(): void {
    for (const packetId of this.#expected.keys()) this.#forget(packetId)
  }

  #forget(packetId: number): void {
    clearTimeout(this.#expected.get(packetId)?.timer)
    this.#expected.delete(packetId)
    for (const socket of this.#nsp.sockets.values()) socket['acks'].delete(packetId)
  }
}
