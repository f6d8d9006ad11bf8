/**
 * Trims old entries of all rooms, slice by slice. A slice checks a bounded number of rooms without the write
 * lock, and trims a bounded number of entries in one job of the commit queue, so that appends continue in
 * between. A room without old entries costs one read.
 */
import type { CommitQueue } from './commit-queue.ts'
import { isStoreFailure } from './commit-queue.ts'
import type { Tables } from './environment.ts'
import { roomRecord } from './log-reads.ts'
import { type AgeLimit, hasAged, trimAged } from './retention.ts'

const ROOMS_PER_SLICE = 500
const ENTRIES_PER_SLICE = 1_000

export interface SweeperOptions {
  tables(): Tables
  queue: CommitQueue
  /** Older entries are trimmed; `null`: none are now. */
  ageLimit(): AgeLimit | null
  intervalMs: number
  onTrimmed(count: number): void
  onError(error: unknown): void
}

export class Sweeper {
  readonly #options: SweeperOptions
  /** First room of the next slice. */
  #next = ''
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  start(): void {
    this.#scheduleRound()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async sweep(): Promise<{ trimmed: number; done: boolean }> {
    const limit = this.#options.ageLimit()
    if (limit === null) return { trimmed: 0, done: true }
    const { rooms, next } = this.#findDue(limit)
    const { trimmed, unfinished } = rooms.length === 0 ? nothing : await this.#trim(rooms, limit)
    this.#next = unfinished ?? next ?? ''
    return { trimmed, done: this.#next === '' }
  }

  /**
   * Rooms of this slice with old entries, and the first room of the next slice; `null` after the last room.
   */
  #findDue(limit: AgeLimit): { rooms: string[]; next: string | null } {
    const tables = this.#options.tables()
    tables.root.resetReadTxn()
    const range = { ...(this.#next === '' ? {} : { start: this.#next }), limit: ROOMS_PER_SLICE + 1 }
    const seen = [...tables.rooms.getRange(range)]
    const next = seen.length > ROOMS_PER_SLICE ? (seen.pop()?.key ?? null) : null
    const due = seen.filter(({ key, value }) => hasAged(tables, key, value, limit))
    return { rooms: due.map(({ key }) => key), next }
  }

  #trim(rooms: string[], limit: AgeLimit): Promise<Trimming> {
    return this.#options.queue.run({
      work: (tables) => trimRooms(tables, rooms, limit),
      committed: ({ trimmed, broken }) => {
        this.#options.onTrimmed(trimmed)
        for (const error of broken) this.#options.onError(error)
      },
    })
  }

  #scheduleRound(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#runRound(), this.#options.intervalMs)
    this.#timer.unref()
  }

  /** One round over all rooms. Failures are retried in the next round. */
  async #runRound(): Promise<void> {
    try {
      let done = false
      while (!done && !this.#stopped) done = (await this.sweep()).done
    } catch (error) {
      this.#options.onError(error)
    }
    this.#scheduleRound()
  }
}

const nothing = { trimmed: 0, unfinished: null }

interface Trimming {
  trimmed: number
  /** The room in which the budget of the slice ran out. */
  unfinished: string | null
  /** Errors of skipped rooms. */
  broken: unknown[]
}

/** A room that cannot be trimmed is left unchanged and does not block others. */
function trimRooms(tables: Tables, rooms: string[], limit: AgeLimit): Trimming {
  const trimming: Trimming = { trimmed: 0, unfinished: null, broken: [] }
  for (const room of rooms) {
    const budget = ENTRIES_PER_SLICE - trimming.trimmed
    if (budget <= 0) return { ...trimming, unfinished: room }
    try {
      const { trimmed, done } = tables.root.transactionSync(() => trimRoom(tables, room, { limit, budget }))
      trimming.trimmed += trimmed
      if (!done) return { ...trimming, unfinished: room }
    } catch (error) {
      if (isStoreFailure(error)) throw error
      trimming.broken.push(error)
    }
  }
  return trimming
}

function trimRoom(tables: Tables, room: string, { limit, budget }: { limit: AgeLimit; budget: number }) {
  const record = roomRecord(tables, room)
  const kept = trimAged(tables, room, record, { limit, budget })
  tables.rooms.putSync(room, kept)
  return { trimmed: kept.first - record.first, done: !hasAged(tables, room, kept, limit) }
}
