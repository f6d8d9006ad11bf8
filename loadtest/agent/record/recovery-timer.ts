/**
 * Measures when a client is served again: when a message that was due since the start is acked to it, and one
 * is delivered to it.
 */
import type { Latencies } from './latencies.ts'

export class RecoveryTimer {
  readonly #latencies: Latencies
  #from = Number.POSITIVE_INFINITY
  #isAcked = false
  #isShown = false

  /** @param latencies takes the result */
  constructor(latencies: Latencies) {
    this.#latencies = latencies
  }

  begin(from: number): void {
    this.#from = from
    this.#isAcked = false
    this.#isShown = false
  }

  acked(dueAt: number, now: number): void {
    if (this.#isAcked || !(dueAt >= this.#from)) return
    this.#isAcked = true
    this.#recordIfServed(now)
  }

  shown(dueAt: number, now: number): void {
    if (this.#isShown || !(dueAt >= this.#from)) return
    this.#isShown = true
    this.#recordIfServed(now)
  }

  #recordIfServed(now: number): void {
    if (this.#isAcked && this.#isShown) this.#latencies.record(now - this.#from)
  }
}
