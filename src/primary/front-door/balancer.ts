/**
 * Decides which worker a request goes to. Pure: it opens nothing, sends nothing and reads no clock.
 *
 * - A request whose session id names a worker goes to that worker, a draining one included.
 * - A handshake goes to the worker with the fewest sessions. It is counted when it is assigned, as a reservation, which
 *   the worker's report of a new session uses up and which otherwise lapses after one to two reservation times: so a
 *   burst is spread although the reports come late, and a handshake that came to nothing is forgotten.
 * - Everything else goes round.
 * - A newcomer (after a crash) has the fewest sessions by far. It is given at most two handshakes in a row while
 *   another worker has room: it fills up fast, yet a third of a reconnect wave goes to those that are warm.
 */

interface Candidate {
  name: string
  tag: string
  isDraining: boolean
  sessions: number
  /** Reservations of the present reservation time, and of the one before. */
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

  /** A worker that is ready takes requests from now on. */
  add(name: string, tag: string): void {
    this.#workers.set(name, { name, tag, isDraining: false, sessions: 0, fresh: 0, ageing: 0 })
    this.#nameByTag.set(tag, name)
  }

  /** No new sessions and no plain requests any more. */
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
    return [...this.#workers.values()].some((worker) => !worker.isDraining)
  }

  /** The worker that owns the sessions with this tag and still takes their requests. */
  owner(tag: string): string | undefined {
    return this.#nameByTag.get(tag)
  }

  /** The ready worker with the fewest sessions among those that `hasRoom` lets through. */
  forHandshake(hasRoom: (name: string) => boolean): string | undefined {
    const ready = this.#inTurn().filter((worker) => hasRoom(worker.name))
    const [first, second] = ready.toSorted((a, b) => load(a) - load(b))
    if (first === undefined) return undefined
    const isOverused = first.name === this.#lastName && this.#run >= LONGEST_RUN
    return (isOverused ? (second ?? first) : first).name
  }

  /** The next ready worker in turn among those that `hasRoom` lets through. */
  forPlain(hasRoom: (name: string) => boolean): string | undefined {
    return this.#inTurn().find((worker) => hasRoom(worker.name))?.name
  }

  /** A request without a session was assigned: its worker is the last in turn now, and a handshake is counted. */
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

  /** Lets reservations lapse whose time is over. */
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

  /** The ready workers, beginning with the one whose turn it is. */
  #inTurn(): Candidate[] {
    const all = [...this.#workers.values()]
    const from = all.length === 0 ? 0 : this.#turn % all.length
    return [...all.slice(from), ...all.slice(0, from)].filter((worker) => !worker.isDraining)
  }
}

function load(worker: Candidate): number {
  return worker.sessions + worker.fresh + worker.ageing
}
