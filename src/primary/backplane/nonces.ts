/**
 * The open challenges of this host, by nonce. Each host may answer each challenge once, within a time limit.
 * Pure: time and randomness are passed in.
 */

/**
 * Limit of challenged hosts, and of answers to a challenge to all. Further hosts wait until a challenge
 * expires.
 */
const MAX_ASKED = 1_024

interface Asked {
  nonce: string
  /** An answer counts until then. */
  untilMs: number
  /** Not asked again before then. */
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
  /** Hosts that have answered the challenge to all. */
  readonly #answered = new Set<string>()

  constructor(options: NonceOptions) {
    this.#options = options
  }

  askAll(nowMs: number): string {
    this.#toAll = { nonce: this.#options.draw(), untilMs: nowMs + this.#options.validMs }
    this.#answered.clear()
    return this.#toAll.nonce
  }

  /** @returns `undefined` if the host was asked just now, or too many challenges are open */
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

  /** @returns whether `nonce` answers a challenge that is still open for this host */
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
