/**
 * Errors of workers as they start. What fails in one mostly fails in all, and again at each try: the first is told in
 * full, the others are summed up.
 */
import type { Logger } from 'pino'
import type { StartFailure } from '../../wire/control.ts'

export interface NotedFailure extends StartFailure {
  worker: string
  reason: string
}

interface StartFailuresOptions {
  workers: number
  logger: Logger
  now: () => number
}

/** Least time between two sums after the first one. */
const SUM_MS = 60_000

export class StartFailures {
  readonly #options: StartFailuresOptions
  #told: string | undefined
  #more = 0
  #isSummed = false
  #sumAt = 0

  constructor(options: StartFailuresOptions) {
    this.#options = options
  }

  note({ worker, reason, isApp, stack, at, advice }: NotedFailure): void {
    const { logger, now } = this.#options
    const key = JSON.stringify([reason, at])
    if (key === this.#told) {
      this.#sumUp()
      return
    }
    this.forget()
    this.#told = key
    this.#sumAt = now() + SUM_MS
    logger.error(
      { worker, at, advice, err: Object.assign(new Error(reason), { stack }) },
      isApp ? 'the application could not be started' : 'a worker could not be started',
    )
  }

  /** A worker has started, or other code is tried: the next failure is told in full. */
  forget(): void {
    this.#told = undefined
    this.#more = 0
    this.#isSummed = false
  }

  /** When all workers have failed once; later now and then. */
  #sumUp(): void {
    const { workers, logger, now } = this.#options
    this.#more += 1
    const isDue = this.#isSummed ? now() >= this.#sumAt : this.#more === workers - 1
    if (!isDue) return
    this.#isSummed = true
    this.#sumAt = now() + SUM_MS
    logger.error(`the same error in ${this.#more} more ${this.#more === 1 ? 'worker' : 'workers'}`)
    this.#more = 0
  }
}
