/**
 * The room log of one host, embedded in the primary: the only writer of the LMDB environment in the data
 * directory. Connects the rules (log-appends, retention, user-rooms), the group commit and the store; owns
 * the sweep timer and the listeners. Opening never fails because of the disk: the log then starts as failing
 * and retries.
 *
 * Only one process may write to a directory; the caller guarantees that. With two, the sequence would stay
 * correct, because it is read inside the transaction, but listeners would miss the entries of the other
 * process.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { LogThrottle } from '../core/log-throttle.ts'
import type { AppendResult, LogEntry, MessageDraft } from '../wire/entry.ts'
import { RookeryError } from '../wire/errors.ts'
import { CommitQueue } from './commit-queue.ts'
import { appendDraft } from './log-appends.ts'
import { type LogMetrics, logMetrics } from './log-metrics.ts'
import { LogView } from './log-view.ts'
import type { AgeLimit } from './retention.ts'
import type { RoomLog } from './room-log.ts'
import { Sweeper } from './sweeper.ts'
import { forget, isTracked, mark, track } from './user-rooms.ts'
import { touch, WriterStore } from './writer-store.ts'

export interface EmbeddedLogLimits {
  /** Limit of changes in one commit. */
  batchJobs: number
  /** Limit of changes that wait for the next commit; more are refused as `unavailable`. */
  queuedJobs: number
  roomsPerUser: number
  /** If a commit takes longer, the log counts as failing until it is done. */
  stallMs: number
  sweepIntervalMs: number
}

const defaultLimits: EmbeddedLogLimits = {
  batchJobs: 256,
  queuedJobs: 10_000,
  roomsPerUser: 1_000,
  stallMs: 10_000,
  sweepIntervalMs: 60_000,
}

export interface EmbeddedLogOptions {
  directory: string
  /**
   * What a room keeps: at most this many entries, none older than this many days. `Infinity` for no limit.
   */
  retention: { messages: number; days: number }
  /** Unix milliseconds. */
  clock: () => number
  /** While it returns false, nothing is trimmed by its age. By default it always may be. */
  canJudgeAges?: () => boolean
  logger: Logger
  registry: Registry
  limits?: Partial<EmbeddedLogLimits>
}

export interface EmbeddedLog extends RoomLog {
  /** Trims old entries in one bounded slice. Also runs on a timer. @returns whether every room was checked */
  sweep(): Promise<{ trimmed: number; done: boolean }>
  /** Frees reader slots of dead processes. A killed reader pins the pages of its snapshot. */
  reapDeadReaders(): number
  /**
   * Must be called when another process has opened the log: until the next commit, readers might see an older
   * state (see writer-store). Never rejects: a log that cannot be written is reopened anyway.
   */
  refreshReaders(): Promise<void>
}

export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const log = new LmdbRoomLog(options)
  await log.open()
  return log
}

class LmdbRoomLog extends LogView implements EmbeddedLog {
  readonly #options: EmbeddedLogOptions
  readonly #limits: EmbeddedLogLimits
  readonly #metrics: LogMetrics
  readonly #store: WriterStore
  readonly #queue: CommitQueue
  readonly #sweeper: Sweeper
  readonly #entryListeners: ((entry: LogEntry) => void)[] = []
  readonly #healthListeners: ((reason: string | null) => void)[] = []
  /** Calls of `forgetRoom` in flight. */
  #forgets = 0

  constructor(options: EmbeddedLogOptions) {
    const limits = { ...defaultLimits, ...options.limits }
    const { directory, logger } = options
    const onHealth = (reason: string | null) => this.#notifyHealth(reason)
    const onStaleTransaction = () => this.#metrics.staleTransactions.inc()
    const store = new WriterStore({
      directory,
      logger,
      stallMs: limits.stallMs,
      onHealth,
      onStaleTransaction,
    })
    super({
      tables: () => store.tables(),
      failed: (err) => logger.error({ err }, 'the room log cannot be read'),
    })
    this.#options = options
    this.#limits = limits
    this.#store = store
    this.#metrics = logMetrics(options.registry)
    const throttle = new LogThrottle(BROKEN_LOG_MS)
    this.#queue = new CommitQueue(store, limits, this.#metrics, (err) =>
      throttle.run((heldBack) => logger.error({ err, heldBack }, 'the room log refused a change')),
    )
    this.#sweeper = new Sweeper({
      tables: () => store.tables(),
      queue: this.#queue,
      ageLimit: () => ageLimit(options),
      intervalMs: limits.sweepIntervalMs,
      onTrimmed: (count) => this.#metrics.trimmed.inc(count),
      onError: (err) => logger.warn({ err }, 'old entries could not be trimmed'),
    })
  }

  async open(): Promise<void> {
    await this.#store.open()
    this.#sweeper.start()
  }

  async append(room: string, draft: MessageDraft): Promise<AppendResult> {
    try {
      const { result } = await this.#queue.run({
        work: (tables) => appendDraft(tables, room, draft, this.#appendOptions()),
        committed: ({ entry, trimmed }) => {
          this.#metrics.trimmed.inc(trimmed)
          if (entry !== null) this.#notifyEntry(entry)
        },
      })
      this.#metrics.appends.inc({ outcome: result.duplicate ? 'duplicate' : 'stored' })
      return result
    } catch (error) {
      this.#metrics.appends.inc({ outcome: error instanceof RookeryError ? error.code : 'internal' })
      throw error
    }
  }

  async trackRoom(userId: string, room: string): Promise<void> {
    if (this.#isTracked(userId, room)) return
    await this.#queue.run({ work: (tables) => track(tables, userId, room, this.#limits.roomsPerUser) })
  }

  async forgetRoom(userId: string, room: string): Promise<void> {
    this.#forgets += 1
    try {
      await this.#queue.run({ work: (tables) => forget(tables, userId, room) })
    } finally {
      this.#forgets -= 1
    }
  }

  markRead(userId: string, room: string, seq: number): Promise<number> {
    return this.#queue.run({ work: (tables) => mark(tables, userId, room, seq) })
  }

  /** Entries of all rooms are reported anyway. */
  watch(): Promise<void> {
    return Promise.resolve()
  }

  unwatch(): void {
    // Nothing to undo.
  }

  onEntry(listener: (entry: LogEntry) => void): void {
    this.#entryListeners.push(listener)
  }

  onReset(): void {
    // The epoch is read when the environment is opened, and never changes.
  }

  onHealth(listener: (reason: string | null) => void): void {
    this.#healthListeners.push(listener)
    listener(this.#store.reason)
  }

  sweep(): Promise<{ trimmed: number; done: boolean }> {
    return this.#sweeper.sweep()
  }

  reapDeadReaders(): number {
    const reaped = this.#store.reapDeadReaders()
    this.#metrics.readersReaped.inc(reaped)
    return reaped
  }

  async refreshReaders(): Promise<void> {
    try {
      await this.#queue.run({ work: touch })
    } catch (error) {
      if (!(error instanceof RookeryError)) throw error
    }
  }

  async close(): Promise<void> {
    this.#sweeper.stop()
    await this.#queue.close()
    await this.#store.close()
  }

  /** Returning to a room needs no commit. While a `forgetRoom` is in flight, the writer decides, in order. */
  #isTracked(userId: string, room: string): boolean {
    if (this.#forgets > 0 || this.#store.reason !== null) return false
    return isTracked(this.#store.tables(), userId, room)
  }

  #appendOptions() {
    return { nowMs: this.#options.clock(), keep: this.#options.retention.messages }
  }

  #notifyEntry(entry: LogEntry): void {
    for (const listener of this.#entryListeners) this.#guard(() => listener(entry))
  }

  #notifyHealth(reason: string | null): void {
    this.#metrics.healthy.set(reason === null ? 1 : 0)
    if (reason !== null) this.#queue.refuseWaiting()
    for (const listener of this.#healthListeners) this.#guard(() => listener(reason))
  }

  /** An error of one listener does not affect the others: the entry is stored. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (err) {
      this.#metrics.listenerErrors.inc()
      this.#options.logger.error({ err }, 'a listener of the room log threw an error')
    }
  }
}

function ageLimit({ clock, canJudgeAges, retention }: EmbeddedLogOptions): AgeLimit | null {
  if (canJudgeAges?.() === false) return null
  const nowMs = clock()
  return { nowMs, cutoffMs: nowMs - retention.days * DAY_MS }
}

const DAY_MS = 86_400_000
/** Shortest time between log lines about refused jobs. */
const BROKEN_LOG_MS = 5_000
