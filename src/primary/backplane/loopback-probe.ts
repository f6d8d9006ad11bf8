/**
 * Checks that this host receives: it does while its own messages come back. Keeps the callers that wait for a
 * message to come back. Time is passed in.
 */
interface Waiter {
  n: number
  resolve: () => void
}

/** Beyond this number further callers do not wait. */
const MAX_WAITING = 10_000

export class LoopbackProbe {
  readonly #echoTimeoutMs: number
  readonly #waiting: Waiter[] = []
  #echoed = 0
  #echoedAtMs: number
  #isReceiving = false

  constructor(echoTimeoutMs: number, nowMs: number) {
    this.#echoTimeoutMs = echoTimeoutMs
    this.#echoedAtMs = nowMs
  }

  get isReceiving(): boolean {
    return this.#isReceiving
  }

  /** Time of the last message that came back. */
  get echoedAtMs(): number {
    return this.#echoedAtMs
  }

  /** Own message `n` has come back. @returns true if this host starts to receive, or receives again */
  echo(n: number, nowMs: number): boolean {
    if (n <= this.#echoed) return false
    this.#echoed = n
    this.#echoedAtMs = nowMs
    while (this.#waiting[0] !== undefined && this.#waiting[0].n <= n) this.#waiting.shift()?.resolve()
    const again = !this.#isReceiving
    this.#isReceiving = true
    return again
  }

  /** @returns true if the host has just stopped receiving */
  check(nowMs: number): boolean {
    if (!this.#isReceiving || nowMs - this.#echoedAtMs <= this.#echoTimeoutMs) return false
    this.#isReceiving = false
    return true
  }

  /** This process could not receive anything until now. */
  restart(nowMs: number): void {
    this.#echoedAtMs = nowMs
  }

  /** Resolves when message `n` or a later one has come back. */
  echoOf(n: number): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push({ n, resolve })
    })
  }

  close(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}
