/**
 * Leases: at most one worker of the cluster holds a name at a time. A worker makes its lease longer while it
 * lives; without that it ends by itself. With several hosts they are in Redis, and each host also keeps the
 * names of its own workers, to give them back at once when a worker dies.
 */
import type { Logger } from 'pino'
import { type LeaseAnswer, LeaseTable } from './lease-table.ts'
import { RedisLeases, type SharedLeases } from './redis-leases.ts'

/** How long a name stays with a worker, or a host, that can't be reached any more. */
const LEASE_MS = 10_000

export interface LeasesOptions {
  /** Tag of this host: worker names are its own. */
  self: string
  /** Undefined if the host works alone. */
  shared: SharedLeases | undefined
  logger: Logger
  now: () => number
}

export class Leases {
  readonly #options: LeasesOptions
  readonly #own = new LeaseTable(LEASE_MS)
  readonly #shared: RedisLeases | undefined
  /** With Redis: names that each worker may hold. */
  readonly #names = new Map<string, Set<string>>()

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#shared = options.shared === undefined ? undefined : new RedisLeases(options.shared)
  }

  /** Takes the lease, or makes it longer. Rejects if Redis does not answer. */
  async hold(worker: string, name: string): Promise<LeaseAnswer> {
    const { now } = this.#options
    // Checked here first: another worker of this host holds it, so Redis need not be asked.
    const own = this.#own.hold(worker, name, now())
    if (this.#shared === undefined || own.heldMs === 0) return own
    const names = this.#names.get(worker) ?? new Set()
    this.#names.set(worker, names.add(name))
    try {
      const answer = await this.#shared.hold(this.#holder(worker), name, LEASE_MS)
      if (answer.heldMs === 0) this.#own.end(worker, name)
      return answer
    } catch (error) {
      // It may hold it in Redis. Here others of this host may ask.
      this.#own.end(worker, name)
      throw error
    }
  }

  /** @returns whether the worker holds it; only then may it run */
  async ran(worker: string, name: string): Promise<boolean> {
    if (this.#shared === undefined) return this.#own.ran(worker, name, this.#options.now())
    return this.#shared.ran(this.#holder(worker), name)
  }

  async end(worker: string, name: string): Promise<void> {
    this.#own.end(worker, name)
    this.#names.get(worker)?.delete(name)
    await this.#shared?.end(this.#holder(worker), name)
  }

  workerGone(worker: string): void {
    this.#own.dropWorker(worker)
    const names = this.#names.get(worker) ?? new Set()
    this.#names.delete(worker)
    for (const name of names) {
      // Otherwise it ends by itself.
      this.#shared?.end(this.#holder(worker), name).catch((error: unknown) => {
        this.#options.logger.debug(
          { err: error, name },
          'a lease of a worker that is gone was not given back',
        )
      })
    }
  }

  #holder(worker: string): string {
    return `${this.#options.self} ${worker}`
  }
}
