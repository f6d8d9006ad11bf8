/**
 * The questions "who are you" that this host has put, by their nonces. Each host may answer each of them once, within a
 * bounded time. Pure: time and chance come in.
 */

/** Hosts that are asked by name, and that answer a question to all. Past it they wait until a question has run out. */
const MAX_ASKED = 1_024

interface Asked {
  nonce: string
  /** Until then an answer counts. */
  untilMs: number
  /** Until then it is not put again. */
  restUntilMs: number
}

export interface NonceOptions {
  draw: () => string
  validMs: number
  askAgainMs: number
}

export class ChallengeNonces {
  readonly #options: NonceOptions
  /** Oldest first. */
  readonly #byHost = new Map<string, Asked>()
  #toAll = { nonce: '', untilMs: 0 }
  /** Who has answered the question to all. */
  readonly #answered = new Set<string>()

  constructor(options: NonceOptions) {
    this.#options = options
  }

  askAll(nowMs: number): string {
    this.#toAll = { nonce: this.#options.draw(), untilMs: nowMs + this.#options.validMs }
    this.#answered.clear()
    return this.#toAll.nonce
  }

  /** @returns `undefined` when it has been asked just now, or too many are asked */
  ask(host: string, nowMs: number): string | undefined {
    this.#forgetOld(nowMs)
    const { draw, validMs, askAgainMs } = this.#options
    const asked = this.#byHost.get(host)
    if (asked === undefined) {
      if (this.#byHost.size >= MAX_ASKED) return undefined
      const fresh = { nonce: draw(), untilMs: nowMs + validMs, restUntilMs: nowMs + askAgainMs }
      this.#byHost.set(host, fresh)
      return fresh.nonce
    }
    if (nowMs < asked.restUntilMs) return undefined
    asked.restUntilMs = nowMs + askAgainMs
    return asked.nonce
  }

  /** @returns whether that is an answer to a question that is still open for this host */
  redeem(host: string, nonce: string, nowMs: number): boolean {
    const asked = this.#byHost.get(host)
    if (asked?.nonce === nonce) {
      this.#byHost.delete(host)
      return nowMs <= asked.untilMs
    }
    if (this.#toAll.nonce !== nonce || nowMs > this.#toAll.untilMs) return false
    if (this.#answered.has(host) || this.#answered.size >= MAX_ASKED) return false
    this.#answered.add(host)
    return true
  }

  #forgetOld(nowMs: number): void {
    for (const [host, { untilMs }] of this.#byHost) {
      if (nowMs <= untilMs) return
      this.#byHost.delete(host)
    }
  }
}
