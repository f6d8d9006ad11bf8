/**
 * The epoch that the server has announced, until a join confirms it, and the entries pushed meanwhile: the
 * join's page may not include them. Bounded; pure.
 */
import type { Entry } from '../connection/guards.ts'

/** Entries beyond this limit are fetched later. */
const ENTRIES_MAX = 1_000

/** Entries pushed between the announcement and the answer to the join. */
export interface BufferedEntries {
  entries: Entry[]
  /** The newest sequence number that the server named. */
  upTo: number
}

export class AnnouncedEpoch {
  #epoch: string | undefined
  #mismatches = 0
  #entries: Entry[] = []
  #upTo = 0

  get isAnnounced(): boolean {
    return this.#epoch !== undefined
  }

  /** Answers in a row with another epoch than the announced one. */
  get mismatches(): number {
    return this.#mismatches
  }

  announce(epoch: string): void {
    if (epoch !== this.#epoch) this.#clear()
    this.#epoch = epoch
  }

  /** Keeps a pushed entry until the join is answered. */
  buffer(entry: Entry): void {
    this.extendTo(entry.seq)
    if (this.#entries.length < ENTRIES_MAX) this.#entries.push(entry)
  }

  extendTo(to: number): void {
    this.#upTo = Math.max(this.#upTo, to)
  }

  /** A join was answered with this epoch. @returns undefined if it is not the announced one */
  confirm(epoch: string): BufferedEntries | undefined {
    const announced = this.#epoch
    const buffered = { entries: this.#entries, upTo: this.#upTo }
    this.#epoch = undefined
    this.#clear()
    this.#mismatches = announced === undefined || announced === epoch ? 0 : this.#mismatches + 1
    return announced === epoch ? buffered : undefined
  }

  #clear(): void {
    this.#entries = []
    this.#upTo = 0
  }
}
