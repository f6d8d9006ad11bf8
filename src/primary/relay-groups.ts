/** Who is in which group: topics whose subscribers are told of each other. Pure. */
export class RelayGroups {
  readonly #members = new Map<string, Set<string>>()

  get size(): number {
    return this.#members.size
  }

  /** @returns the others that are in it */
  enter(worker: string, topic: string): string[] {
    const members = this.#members.get(topic) ?? new Set<string>()
    this.#members.set(topic, members)
    const others = [...members].filter((member) => member !== worker)
    members.add(worker)
    return others
  }

  /** @returns those that stay, or `null` when the worker was not in it */
  leave(worker: string, topic: string): string[] | null {
    const members = this.#members.get(topic)
    if (members === undefined || !members.delete(worker)) return null
    if (members.size === 0) this.#members.delete(topic)
    return [...members]
  }

  forget(worker: string): void {
    for (const topic of this.#members.keys()) this.leave(worker, topic)
  }
}
