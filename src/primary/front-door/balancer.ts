/**
 * Decides which worker gets a request. Pure: no I/O; time is passed in.
 *
 * - A request whose session id names a worker goes to that worker, even if it is draining.
 * - A handshake with a key (`core/placement.ts`) goes to the worker in the place that the key chooses.
 * - Any other handshake goes to the worker with the fewest sessions. It counts at once, as a reservation. The
 *   worker's
 *   report of the new session uses the reservation up; without a report it expires after one to two
 *   reservation times. So a burst is spread although reports are late, and a failed handshake is forgotten.
 * - All other requests go round-robin.
 * - A new worker (after a crash) has by far the fewest sessions. It gets at most two handshakes in a row while
 *   another worker has room: it fills up fast, but a third of a reconnect wave goes to warm workers.
 */

interface Candidate {
  name: string
  tag: string
  slot: number | undefined
  isDraining: boolean
  sessions: number
  /** Reservations of the current reservation period, and of the one before. */
  fresh: number
  ageing: number
}

const LONGEST_RUN = 2

export class Balancer {
  readonly #reservationMs: number
  readonly #workers = new Map<string, Candidate>()
  readonly #nameByTag = new Map<string, string>()
  #agedAt = 0
  #lastName: string | undefined
  #run = 0
  #turn = 0

  constructor(reservationMs: number) {
    this.#reservationMs = reservationMs
  }

  /** Adds a ready worker. */
  add(name: string, tag: string, slot?: number): void {
    this.#workers.set(name, { name, tag, slot, isDraining: false, sessions: 0, fresh: 0, ageing: 0 })
    this.#nameByTag.set(tag, name)
  }

  /** The worker gets no new sessions and no plain requests any more. */
  drain(name: string): void {
    const worker = this.#workers.get(name)
    if (worker !== undefined) worker.isDraining = true
  }

  remove(name: string): void {
    const worker = this.#workers.get(name)
    if (worker === undefined) return
    this.#workers.delete(name)
    this.#nameByTag.delete(worker.tag)
  }

  hasReady(): boolean {
    return this.readyCount > 0
  }

  /** Workers that take new sessions. */
  get readyCount(): number {
    let count = 0
    for (const { isDraining } of this.#workers.values()) if (!isDraining) count += 1
    return count
  }

  /** The worker that owns the sessions with this tag and still serves them. */
  owner(tag: string): string | undefined {
    return this.#nameByTag.get(tag)
  }

  /** The ready worker in this place; of two, during a reload, the newer one. */
  ofSlot(slot: number): string | undefined {
    let found: string | undefined
    for (const worker of this.#workers.values())
      if (worker.slot === slot && !worker.isDraining) found = worker.name
    return found
  }

  /** Of the workers that `hasRoom` accepts, the ready one with the fewest sessions. */
  forHandshake(hasRoom: (name: string) => boolean): string | undefined {
    const ready = this.#inTurn().filter((worker) => hasRoom(worker.name))
    const [first, second] = ready.toSorted((a, b) => load(a) - load(b))
    if (first === undefined) return undefined
    const isOverused = first.name === this.#lastName && this.#run >= LONGEST_RUN
    return (isOverused ? (second ?? first) : first).name
  }

  /** Of the workers that `hasRoom` accepts, the next ready one in turn. */
  forPlain(hasRoom: (name: string) => boolean): string | undefined {
    return this.#inTurn().find((worker) => hasRoom(worker.name))?.name
  }

  /** A request without a session was assigned. Its worker is now last in turn; a handshake is counted. */
  assigned(name: string, request: 'handshake' | 'plain', now: number): void {
    const names = [...this.#workers.keys()]
    this.#turn = names.indexOf(name) + 1
    if (request === 'plain') return
    this.#run = name === this.#lastName ? this.#run + 1 : 1
    this.#lastName = name
    this.age(now)
    const worker = this.#workers.get(name)
    if (worker !== undefined) worker.fresh += 1
  }

  sessionOpened(name: string): void {
    const worker = this.#workers.get(name)
    if (worker === undefined) return
    worker.sessions += 1
    if (worker.ageing > 0) worker.ageing -= 1
    else if (worker.fresh > 0) worker.fresh -= 1
  }

  sessionClosed(name: string): void {
    const worker = this.#workers.get(name)
    if (worker !== undefined && worker.sessions > 0) worker.sessions -= 1
  }

  /** Removes expired reservations. */
  age(now: number): void {
    if (now - this.#agedAt < this.#reservationMs) return
    const areAllOver = now - this.#agedAt >= 2 * this.#reservationMs
    for (const worker of this.#workers.values()) {
      worker.ageing = areAllOver ? 0 : worker.fresh
      worker.fresh = 0
    }
    this.#agedAt = now
  }

  /** Sessions and reservations by worker. */
  loads(): Record<string, number> {
    return Object.fromEntries([...this.#workers.values()].map((worker) => [worker.name, load(worker)]))
  }

  /** The ready workers in round-robin order. */
  #inTurn(): Candidate[] {
    const all = [...this.#workers.values()]
    const from = all.length === 0 ? 0 : this.#turn % all.length
    return [...all.slice(from), ...all.slice(0, from)].filter((worker) => !worker.isDraining)
  }
}

function load(worker: Candidate): number {
  return worker.sessions + worker.fresh + worker.ageing
}
