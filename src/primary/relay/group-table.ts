/**
 * Who is in which group: topics whose subscribers are told of each other. Workers of this host and of others alike, by
 * the names that they have on a link. Pure.
 */
export class GroupTable {
  readonly #members = new Map<string, Set<string>>()

  get size(): number {
    return this.#members.size
  }

  topics(): Iterable<string> {
    return this.#members.keys()
  }

  members(topic: string): Iterable<string> {
    return this.#members.get(topic) ?? []
  }

  others(worker: string, topic: string): string[] {
    return [...this.members(topic)].filter((member) => member !== worker)
  }

  /** @returns false when it was in it */
  enter(worker: string, topic: string): boolean {
    const members = this.#members.get(topic) ?? new Set<string>()
    if (members.has(worker)) return false
    this.#members.set(topic, members.add(worker))
    return true
  }

  /** @returns false when it was not in it */
  leave(worker: string, topic: string): boolean {
    const members = this.#members.get(topic)
    if (members === undefined || !members.delete(worker)) return false
    if (members.size === 0) this.#members.delete(topic)
    return true
  }

  forget(worker: string): void {
    for (const topic of this.#members.keys()) this.leave(worker, topic)
  }
}
