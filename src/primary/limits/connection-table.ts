/**
 * Table of each user's connections on this host. No I/O, no time. A connection is identified by its worker
 * and its id there. Entering or leaving twice has the same effect as once.
 */
export interface UserConnection {
  userId: string
  /** Unique on its worker and never reused. */
  connectionId: string
}

export class ConnectionTable {
  /** Connections in the order of arrival. */
  readonly #users = new Map<string, Set<string>>()
  /**
   * By worker: connection ids with their users. The cost of a worker's death depends only on its own
   * connections.
   */
  readonly #workers = new Map<string, Map<string, string>>()

  /** Users with a connection. */
  get size(): number {
    return this.#users.size
  }

  users(): IterableIterator<string> {
    return this.#users.keys()
  }

  enter(worker: string, { userId, connectionId }: UserConnection): void {
    const connections = this.#workers.get(worker) ?? new Map<string, string>()
    this.#workers.set(worker, connections)
    const known = connections.get(connectionId)
    if (known !== undefined && known !== userId) throw new Error('a name of a connection was used twice')
    connections.set(connectionId, userId)
    const own = this.#users.get(userId) ?? new Set<string>()
    this.#users.set(userId, own.add(placeOf(worker, connectionId)))
  }

  /** @returns false if there is no such connection */
  leave(worker: string, { userId, connectionId }: UserConnection): boolean {
    const connections = this.#workers.get(worker)
    if (connections?.get(connectionId) !== userId) return false
    connections.delete(connectionId)
    if (connections.size === 0) this.#workers.delete(worker)
    this.#withdraw(userId, placeOf(worker, connectionId))
    return true
  }

  /** Removes all connections of a dead worker. @returns their users */
  dropWorker(worker: string): Set<string> {
    const connections = this.#workers.get(worker) ?? new Map<string, string>()
    this.#workers.delete(worker)
    for (const [connectionId, userId] of connections) this.#withdraw(userId, placeOf(worker, connectionId))
    return new Set(connections.values())
  }

  count(userId: string): number {
    return this.#users.get(userId)?.size ?? 0
  }

  /** Position among the user's connections, from 1; 0 if it has ended. */
  place(worker: string, { userId, connectionId }: UserConnection): number {
    const sought = placeOf(worker, connectionId)
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

function placeOf(worker: string, connectionId: string): string {
  return `${worker} ${connectionId}`
}
