/**
 * Topics that were granted a short time ago. Other hosts may still be subscribing to them, so messages to
 * these topics go to all hosts for a while. Pure: time is passed in. Bounded: beyond the limit all messages
 * go to all hosts during that time.
 */
const MAX_TOPICS = 50_000

export class RecentGrants {
  readonly #forMs: number
  readonly #maxTopics: number
  /** End of the time for each topic, oldest first. */
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
