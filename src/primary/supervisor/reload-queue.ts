/** Runs reloads one at a time. Any number of requests during a run cause one more run after it. */
import type { Logger } from 'pino'

export interface ReloadRun {
  replaced: number
  /** Workers to replace. */
  of: number
  /** Why it failed; null: it did not, so far. */
  error: string | null
}

export interface ReloadState {
  /** Runs that are over. */
  finished: number
  running: ReloadRun | null
  last: ReloadRun | null
}

export interface ReloadProgress {
  /** Called once, with the number of workers to replace. */
  begin(of: number): void
  replaced(): void
}

/** Expected: its message says it all. */
export class ReloadFailed extends Error {}

export class ReloadQueue {
  readonly #run: (progress: ReloadProgress) => Promise<void>
  readonly #logger: Logger
  #finished = 0
  #running: ReloadRun | null = null
  #last: ReloadRun | null = null
  #again = false

  constructor(run: (progress: ReloadProgress) => Promise<void>, logger: Logger) {
    this.#run = run
    this.#logger = logger
  }

  get state(): ReloadState {
    return { finished: this.#finished, running: this.#running, last: this.#last }
  }

  request(): void {
    if (this.#running === null) void this.#loop()
    else {
      this.#again = true
      this.#logger.info('a reload is running: another one follows')
    }
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false
      const run: ReloadRun = { replaced: 0, of: 0, error: null }
      this.#running = run
      await this.#runOnce(run)
      this.#last = run
      this.#finished += 1
    } while (this.#again)
    this.#running = null
  }

  async #runOnce(run: ReloadRun): Promise<void> {
    this.#logger.info('reload: replacing the workers one by one')
    try {
      await this.#run({
        begin: (of) => {
          run.of = of
        },
        replaced: () => {
          run.replaced += 1
        },
      })
      this.#logger.info('reload done')
    } catch (error) {
      run.error = error instanceof Error ? error.message : String(error)
      const facts = error instanceof ReloadFailed ? { reason: error.message } : { err: error }
      this.#logger.error(facts, 'reload failed')
    }
  }
}
