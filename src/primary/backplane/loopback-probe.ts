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
  readonly #deafMs: number
  readonly #waiting: Waiter[] = []
  #echoed = 0
  #echoedAtMs: number
  #hears = false

  constructor(deafMs: number, nowMs: number) {
    this.#deafMs = deafMs
    this.#echoedAtMs = nowMs
  }

  get hears(): boolean {
    return this.#hears
  }

  /** Time of the last message that came back. */
  get silentSinceMs(): number {
    return this.#echoedAtMs
  }

  /** Own message `n` has come back. @returns true if this host starts to receive, or receives again */
  echo(n: number, nowMs: number): boolean {
    if (n <= this.#echoed) return false
    this.#echoed = n
    this.#echoedAtMs = nowMs
    while (this.#waiting[0] !== undefined && this.#waiting[0].n <= n) this.#waiting.shift()?.resolve()
    const again = !this.#hears
    this.#hears = true
    return again
  }

  /** @returns true if the host has just become deaf */
  check(nowMs: number): boolean {
    if (!this.#hears || nowMs - this.#echoedAtMs <= this.#deafMs) return false
    this.#hears = false
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
