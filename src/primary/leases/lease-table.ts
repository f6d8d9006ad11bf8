/** The leases of a host that works alone: which worker holds each name, and until when. Pure. */
import { RookeryError } from '../../wire/errors.ts'

export interface LeaseAnswer {
  /** For how long the asking worker holds it from now on; 0: another one does. */
  heldMs: number
  /** Time since the holder said that it ran; null: never. */
  ranAgoMs: number | null
}

interface Lease {
  holder: string
  until: number
  ranAt: number | null
}

/** Names are the application's own, in its code: more are a mistake. */
const MAX_NAMES = 1_000

export class LeaseTable {
  readonly #leaseMs: number
  readonly #leases = new Map<string, Lease>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  get size(): number {
    return this.#leases.size
  }

  /** Takes the lease, or makes it longer. */
  hold(worker: string, name: string, now: number): LeaseAnswer {
    const lease = this.#leases.get(name) ?? this.#create(name)
    if (lease.holder !== worker && lease.until > now) return { heldMs: 0, ranAgoMs: null }
    lease.holder = worker
    lease.until = now + this.#leaseMs
    return { heldMs: this.#leaseMs, ranAgoMs: lease.ranAt === null ? null : now - lease.ranAt }
  }

  /** @returns false if the worker does not hold it any more */
  ran(worker: string, name: string, now: number): boolean {
    const lease = this.#leases.get(name)
    if (lease?.holder !== worker || lease.until <= now) return false
    lease.ranAt = now
    return true
  }

  end(worker: string, name: string): void {
    const lease = this.#leases.get(name)
    if (lease?.holder === worker) lease.until = 0
  }

  dropWorker(worker: string): void {
    for (const name of this.#leases.keys()) this.end(worker, name)
  }

  #create(name: string): Lease {
    if (this.#leases.size >= MAX_NAMES)
      throw new RookeryError('too_large', `${MAX_NAMES} names of context.once and context.every are in use`)
    const lease: Lease = { holder: '', until: 0, ranAt: null }
    this.#leases.set(name, lease)
    return lease
  }
}
