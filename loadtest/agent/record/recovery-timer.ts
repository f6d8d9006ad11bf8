/** Tells once after a moment when a client is served again: a message that was due since is acked to it, and one is shown to it. */
import type { Latencies } from './latencies.ts'

export class RecoveryTimer {
  readonly #latencies: Latencies
  #from = Number.POSITIVE_INFINITY
  #isAcked = false
  #isShown = false

  /** @param latencies where it is written down */
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
    this.#tell(now)
  }

  shown(dueAt: number, now: number): void {
    if (this.#isShown || !(dueAt >= this.#from)) return
    this.#isShown = true
    this.#tell(now)
  }

  #tell(now: number): void {
    if (this.#isAcked && this.#isShown) this.#latencies.record(now - this.#from)
  }
}
