/**
 * Queue of resync requests: which host must send a snapshot of which rooms, and when to ask. A request is
 * repeated until it is answered. Pure: time is passed in.
 */
export class ResyncQueue {
  readonly #retryMs: number
  /** By host: rooms, with the time from which they may be requested. */
  readonly #due = new Map<string, Map<string, number>>()

  constructor(retryMs: number) {
    this.#retryMs = retryMs
  }

  /** Requests that have not been answered. */
  get size(): number {
    let size = 0
    for (const rooms of this.#due.values()) size += rooms.size
    return size
  }

  add(host: string, room: string): void {
    const rooms = this.#due.get(host) ?? new Map<string, number>()
    this.#due.set(host, rooms)
    if (!rooms.has(room)) rooms.set(room, Number.NEGATIVE_INFINITY)
  }

  done(host: string, room: string): void {
    const rooms = this.#due.get(host)
    rooms?.delete(room)
    if (rooms?.size === 0) this.#due.delete(host)
  }

  drop(host: string): void {
    this.#due.delete(host)
  }

  forget(room: string): void {
    for (const host of this.#due.keys()) this.done(host, room)
  }

  /** The rooms to request from each host now. They are due again after the retry delay. */
  take(nowMs: number): [host: string, rooms: string[]][] {
    const taken: [string, string[]][] = []
    for (const [host, rooms] of this.#due) {
      const due = [...rooms].filter(([, fromMs]) => fromMs <= nowMs).map(([room]) => room)
      for (const room of due) rooms.set(room, nowMs + this.#retryMs)
      if (due.length > 0) taken.push([host, due])
    }
    return taken
  }
}
