/**
 * Members of groups. A group is a topic whose subscribers are told about each other. Contains local and
 * remote workers by their names on a link. Pure.
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

  /** @returns false if the worker was in the group already */
  enter(worker: string, topic: string): boolean {
    const members = this.#members.get(topic) ?? new Set<string>()
    if (members.has(worker)) return false
    this.#members.set(topic, members.add(worker))
    return true
  }

  /** @returns false if the worker was not in the group */
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
