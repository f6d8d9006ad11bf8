/**
 * Group commit: jobs that arrive during a commit go into the next one together. One batch at a time, in the
 * order of the calls. All callers are answered in that order after the batch is on disk; refusals too,
 * because a refusal may depend on something that the same batch wrote.
 */
import { RookeryError } from '../wire/errors.ts'
import type { Tables } from './environment.ts'
import type { LogMetrics } from './log-metrics.ts'
import type { WriterStore } from './writer-store.ts'

export interface QueueLimits {
  /** Limit of jobs in one commit. */
  batchJobs: number
  /** Limit of jobs that wait for the next commit; more are refused. */
  queuedJobs: number
}

export interface Job<T> {
  /**
   * Runs inside the transaction, and perhaps a second time after its writes were rolled back. A
   * `RookeryError` refuses only this job, and must be thrown before its first write. Any other error refuses
   * it as `internal`.
   */
  work(tables: Tables): T
  /** Called when the batch is on disk, before the promise resolves. */
  committed?(value: T): void
}

interface QueuedJob {
  work(tables: Tables): void
  /** Called instead of `work`: the rest of the batch continues without it. */
  refuse(error: RookeryError): void
  settle(): void
  fail(error: unknown): void
}

export class CommitQueue {
  readonly #store: WriterStore
  readonly #limits: QueueLimits
  readonly #metrics: LogMetrics
  readonly #onBroken: (error: unknown) => void
  #waiting: QueuedJob[] = []
  #flight: Promise<void> | null = null
  #closed = false

  /** @param onBroken called with the reason why a job was refused as `internal` */
  constructor(
    store: WriterStore,
    limits: QueueLimits,
    metrics: LogMetrics,
    onBroken: (error: unknown) => void,
  ) {
    this.#onBroken = onBroken
    this.#store = store
    this.#limits = limits
    this.#metrics = metrics
  }

  run<T>(job: Job<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new RookeryError('unavailable', 'the log is closed'))
    if (this.#store.reason !== null) return Promise.reject(this.#store.unavailable())
    if (this.#waiting.length >= this.#limits.queuedJobs) return Promise.reject(this.#store.unavailable())
    return new Promise((resolve, reject) => {
      this.#waiting.push(queued(job, resolve, reject))
      this.#metrics.queued.set(this.#waiting.length)
      this.#start()
    })
  }

  /**
   * Refuses waiting jobs while the store does not work. Jobs in flight are answered when the outcome is
   * known.
   */
  refuseWaiting(): void {
    const refused = this.#waiting
    this.#waiting = []
    this.#metrics.queued.set(0)
    for (const job of refused) job.fail(this.#store.unavailable())
  }

  /** Accepts no more jobs, and resolves when all accepted jobs have been answered. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#flight !== null) await this.#flight
  }

  #start(): void {
    if (this.#flight !== null || this.#waiting.length === 0) return
    this.#flight = this.#commitBatch().finally(() => {
      this.#flight = null
      this.#start()
    })
  }

  async #commitBatch(): Promise<void> {
    let batch: QueuedJob[] = []
    const stop = this.#metrics.commitSeconds.startTimer()
    try {
      await this.#store.commit((tables) => {
        batch = this.#take()
        this.#work(tables, batch)
      })
      for (const job of batch) job.settle()
    } catch (error) {
      for (const job of batch) job.fail(error)
      this.refuseWaiting()
    } finally {
      stop()
    }
  }

  /** All jobs together; if one fails, each in its own transaction, so that it fails alone. */
  #work(tables: Tables, batch: readonly QueuedJob[]): void {
    try {
      tables.root.transactionSync(() => {
        for (const job of batch) job.work(tables)
      })
    } catch (error) {
      if (isStoreFailure(error)) throw error
      for (const job of batch) this.#workAlone(tables, job)
    }
  }

  #workAlone(tables: Tables, job: QueuedJob): void {
    try {
      tables.root.transactionSync(() => job.work(tables))
    } catch (error) {
      if (isStoreFailure(error)) throw error
      this.#onBroken(error)
      job.refuse(new RookeryError('internal', 'the log could not carry this out', { cause: error }))
    }
  }

  /** As late as possible, so that jobs which arrived while the transaction was being opened are included. */
  #take(): QueuedJob[] {
    const batch = this.#waiting.splice(0, this.#limits.batchJobs)
    this.#metrics.queued.set(this.#waiting.length)
    this.#metrics.batchJobs.observe(batch.length)
    return batch
  }
}

/** Errors of LMDB itself have a numeric code. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number'
}

function queued<T>(job: Job<T>, resolve: (value: T) => void, reject: (error: unknown) => void): QueuedJob {
  let settle: (() => void) | undefined
  return {
    work(tables) {
      try {
        const value = job.work(tables)
        settle = () => {
          job.committed?.(value)
          resolve(value)
        }
      } catch (error) {
        if (!(error instanceof RookeryError)) throw error
        settle = () => reject(error)
      }
    },
    refuse: (error) => {
      settle = () => reject(error)
    },
    settle: () => settle?.(),
    fail: reject,
  }
}
