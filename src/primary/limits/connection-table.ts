/**
 * Which connections each user has on this host: a table and nothing else, without I/O or time. A connection is known by
 * its worker and its name there: coming or going twice is the same as once.
 */
export interface UserConnection {
  userId: string
  /** Its name, unique on its worker and never used again. */
  stay: string
}

export class ConnectionTable {
  /** In the order of their coming. */
  readonly #users = new Map<string, Set<string>>()
  /** By worker, so that its death costs what it held: names with their users. */
  readonly #workers = new Map<string, Map<string, string>>()

  /** Users with a connection. */
  get size(): number {
    return this.#users.size
  }

  users(): IterableIterator<string> {
    return this.#users.keys()
  }

  enter(worker: string, { userId, stay }: UserConnection): void {
    const stays = this.#workers.get(worker) ?? new Map<string, string>()
    this.#workers.set(worker, stays)
    const known = stays.get(stay)
    if (known !== undefined && known !== userId) throw new Error('a name of a connection was used twice')
    stays.set(stay, userId)
    const own = this.#users.get(userId) ?? new Set<string>()
    this.#users.set(userId, own.add(placeOf(worker, stay)))
  }

  /** @returns false when there is no such connection */
  leave(worker: string, { userId, stay }: UserConnection): boolean {
    const stays = this.#workers.get(worker)
    if (stays?.get(stay) !== userId) return false
    stays.delete(stay)
    if (stays.size === 0) this.#workers.delete(worker)
    this.#withdraw(userId, placeOf(worker, stay))
    return true
  }

  /** Ends all connections of a dead worker. @returns whose they were */
  dropWorker(worker: string): Set<string> {
    const stays = this.#workers.get(worker) ?? new Map<string, string>()
    this.#workers.delete(worker)
    for (const [stay, userId] of stays) this.#withdraw(userId, placeOf(worker, stay))
    return new Set(stays.values())
  }

  count(userId: string): number {
    return this.#users.get(userId)?.size ?? 0
  }

  /** The how-manieth of its user's connections it is, from 1; 0: it has ended. */
  place(worker: string, { userId, stay }: UserConnection): number {
    const sought = placeOf(worker, stay)
    let place = 0
    for (const one of this.#users.get(userId) ?? []) {
      place += 1
      if (one === sought) return place
    }
    return 0
  }

  #withdraw(userId: string, place: string): void {
    const own = this.#users.get(userId)
    own?.delete(place)
    if (own?.size === 0) this.#users.delete(userId)
  }
}

function placeOf(worker: string, stay: string): string {
  return `${worker} ${stay}`
}
