/**
 * Topics that have just been granted: other hosts are only now subscribing to them, so what is for them goes to all hosts
 * for a while. Pure: time comes in. Bounded: past the bound everything goes to all hosts for that while.
 */
const MAX_TOPICS = 50_000

export class RecentGrants {
  readonly #forMs: number
  readonly #maxTopics: number
  /** Until when, the oldest first. */
  readonly #until = new Map<string, number>()
  #allUntilMs = 0

  constructor(forMs: number, maxTopics = MAX_TOPICS) {
    this.#forMs = forMs
    this.#maxTopics = maxTopics
  }

  get size(): number {
    return this.#until.size
  }

  note(topics: readonly string[], nowMs: number): void {
    if (topics.length === 0) return
    this.#forgetOld(nowMs)
    for (const topic of topics) {
      this.#until.delete(topic)
      if (this.#until.size < this.#maxTopics) this.#until.set(topic, nowMs + this.#forMs)
      else this.#allUntilMs = nowMs + this.#forMs
    }
  }

  covers(topics: readonly string[], nowMs: number): boolean {
    if (nowMs < this.#allUntilMs) return true
    if (this.#until.size === 0) return false
    return topics.some((topic) => (this.#until.get(topic) ?? 0) > nowMs)
  }

  #forgetOld(nowMs: number): void {
    for (const [topic, untilMs] of this.#until) {
      if (untilMs > nowMs) return
      this.#until.delete(topic)
    }
  }
}
