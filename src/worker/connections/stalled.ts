/**
 * Whether a connection with much unsent data still takes any. One large emit to a slow but reading client has
 * to arrive, so size alone says nothing up to a hard limit. Pure.
 */

/** At one time. */
export interface Backlog {
  unsentBytes: number
  /** Changes while the client reads, and only then. */
  progress: unknown
}

export interface StallLimits {
  /** Up to so many unsent bytes nothing is asked. */
  maxBytes: number
  /** Past `maxBytes`, how long a client may take nothing. */
  patienceMs: number
}

/** Times `maxBytes`: past it a connection ends even if its client reads. */
const HARD_FACTOR = 16

export type Verdict = 'fine' | 'stalled' | 'full'

export class StallJudge<Connection extends WeakKey> {
  readonly #limits: StallLimits
  /** Of connections past `maxBytes`: how far they were, and since when. */
  readonly #seen = new WeakMap<Connection, { progress: unknown; since: number }>()

  constructor(limits: StallLimits) {
    this.#limits = limits
  }

  judge(connection: Connection, { unsentBytes, progress }: Backlog, now: number): Verdict {
    const { maxBytes, patienceMs } = this.#limits
    if (unsentBytes <= maxBytes) {
      this.#seen.delete(connection)
      return 'fine'
    }
    if (unsentBytes > maxBytes * HARD_FACTOR) return 'full'
    const seen = this.#seen.get(connection)
    if (seen === undefined || seen.progress !== progress) {
      this.#seen.set(connection, { progress, since: now })
      return 'fine'
    }
    return now - seen.since >= patienceMs ? 'stalled' : 'fine'
  }
}
