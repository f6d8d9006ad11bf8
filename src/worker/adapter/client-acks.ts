/** Acknowledgements that clients of this worker owe to another: forgotten when they are there, or too late. */
import type { Namespace } from 'socket.io'

interface Owed {
  acks: number
  timer: NodeJS.Timeout
}

export class ClientAcks {
  readonly #nsp: Namespace
  readonly #owed = new Map<number, Owed>()

  constructor(nsp: Namespace) {
    this.#nsp = nsp
  }

  get size(): number {
    return this.#owed.size
  }

  /** @param packetId under which the sockets hold their callbacks */
  owe(packetId: number, acks: number, timeoutMs: number): void {
    if (acks === 0) return
    const timer = setTimeout(() => this.#forget(packetId), timeoutMs)
    this.#owed.set(packetId, { acks, timer })
  }

  paid(packetId: number): void {
    const owed = this.#owed.get(packetId)
    if (owed === undefined) return
    owed.acks -= 1
    if (owed.acks > 0) return
    clearTimeout(owed.timer)
    this.#owed.delete(packetId)
  }

  close(): void {
    for (const packetId of this.#owed.keys()) this.#forget(packetId)
  }

  #forget(packetId: number): void {
    clearTimeout(this.#owed.get(packetId)?.timer)
    this.#owed.delete(packetId)
    for (const socket of this.#nsp.sockets.values()) socket['acks'].delete(packetId)
  }
}
