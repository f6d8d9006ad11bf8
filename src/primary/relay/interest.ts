/**
 * Topics and the workers that subscribe to them. Pure. A worker may hold a topic several times (a grant in
 * addition to its own subscription) and loses it when all holds are released.
 */
/** Changes in the interest of the whole host. */
export interface InterestEvents {
  /** The topic has its first subscriber. */
  want(topic: string): void
  /** The topic has lost its last subscriber. */
  release(topic: string): void
}

export class InterestTable {
  readonly #holds = new Map<string, Map<string, number>>()
  readonly #subscribers = new Map<string, Set<string>>()
  readonly #maxTopicsPerWorker: number
  readonly #events: InterestEvents | undefined

  constructor(maxTopicsPerWorker: number, events?: InterestEvents) {
    this.#maxTopicsPerWorker = maxTopicsPerWorker
    this.#events = events
  }

  get topics(): number {
    return this.#subscribers.size
  }

  topicsOf(worker: string): number {
    return this.#holds.get(worker)?.size ?? 0
  }

  /** @returns false if the worker is at its limit of topics; then nothing is added */
  add(worker: string, topic: string): boolean {
    const holds = this.#holds.get(worker) ?? new Map<string, number>()
    const held = holds.get(topic) ?? 0
    if (held === 0 && holds.size >= this.#maxTopicsPerWorker) return false
    this.#holds.set(worker, holds.set(topic, held + 1))
    if (held === 0) this.#subscribe(worker, topic)
    return true
  }

  /** Releases one hold. @returns true if it was the last one */
  remove(worker: string, topic: string): boolean {
    const holds = this.#holds.get(worker)
    const held = holds?.get(topic) ?? 0
    if (holds === undefined || held === 0) return false
    if (held > 1) {
      holds.set(topic, held - 1)
      return false
    }
    holds.delete(topic)
    if (holds.size === 0) this.#holds.delete(worker)
    this.#unsubscribe(worker, topic)
    return true
  }

  /** Releases everything that the worker holds. */
  forget(worker: string): void {
    const holds = this.#holds.get(worker)
    if (holds === undefined) return
    this.#holds.delete(worker)
    for (const topic of holds.keys()) this.#unsubscribe(worker, topic)
  }

  subscribers(topic: string): Iterable<string> {
    return this.#subscribers.get(topic) ?? []
  }

  /** Subscribers of any of the topics, each once, without `except`. */
  receivers(topics: readonly string[], except: string): Set<string> {
    const found = new Set<string>()
    for (const topic of topics) {
      for (const worker of this.subscribers(topic)) if (worker !== except) found.add(worker)
    }
    return found
  }

  #subscribe(worker: string, topic: string): void {
    const subscribers = this.#subscribers.get(topic)
    if (subscribers !== undefined) {
      subscribers.add(worker)
      return
    }
    this.#subscribers.set(topic, new Set([worker]))
    this.#events?.want(topic)
  }

  #unsubscribe(worker: string, topic: string): void {
    const subscribers = this.#subscribers.get(topic)
    subscribers?.delete(worker)
    if (subscribers?.size !== 0) return
    this.#subscribers.delete(topic)
    this.#events?.release(topic)
  }
}
