/**
 * Whether this host hears: it does as long as its own messages come back. Keeps who waits for one to come back. Pure but
 * for the promises: time comes in.
 */
interface Waiter {
  n: number
  resolve: () => void
}

/** Past it nobody more waits. */
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

  /** Since when nothing of its own has come back. */
  get silentSinceMs(): number {
    return this.#echoedAtMs
  }

  /** Own message `n` has come back. @returns whether this host hears again, or for the first time */
  echo(n: number, nowMs: number): boolean {
    if (n <= this.#echoed) return false
    this.#echoed = n
    this.#echoedAtMs = nowMs
    while (this.#waiting[0] !== undefined && this.#waiting[0].n <= n) this.#waiting.shift()?.resolve()
    const again = !this.#hears
    this.#hears = true
    return again
  }

  /** @returns whether it has just turned out to be deaf */
  check(nowMs: number): boolean {
    if (!this.#hears || nowMs - this.#echoedAtMs <= this.#deafMs) return false
    this.#hears = false
    return true
  }

  /** This process could not have heard anything up to now. */
  restart(nowMs: number): void {
    this.#echoedAtMs = nowMs
  }

  /** Resolves when message `n`, or a later one, has come back. */
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
