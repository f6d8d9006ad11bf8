/**
 * The log that the server says there is now, until the answer to a join bears it out, and what has come of it meanwhile: the
 * answer may be behind that already. Bounded; pure.
 */
import type { Entry } from '../connection/guards.ts'

/** What came past so many is fetched. */
const ENTRIES_MAX = 1_000

/** What has come after the page that the join was answered with. */
export interface BufferedEntries {
  entries: Entry[]
  /** The newest number that the server named. */
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

  /** Answers in a row that were of another log than the one named before. */
  get mismatches(): number {
    return this.#mismatches
  }

  announce(epoch: string): void {
    if (epoch !== this.#epoch) this.#clear()
    this.#epoch = epoch
  }

  /** An entry that came by itself. */
  buffer(entry: Entry): void {
    this.extendTo(entry.seq)
    if (this.#entries.length < ENTRIES_MAX) this.#entries.push(entry)
  }

  extendTo(to: number): void {
    this.#upTo = Math.max(this.#upTo, to)
  }

  /** A join was answered from this log. @returns undefined when that is not the one that was named */
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
