/** Runs reloads one at a time. Any number of requests during a run cause one more run after it. */
import type { Logger } from 'pino'

export class ReloadQueue {
  readonly #run: () => Promise<void>
  readonly #logger: Logger
  #running = false
  #again = false

  constructor(run: () => Promise<void>, logger: Logger) {
    this.#run = run
    this.#logger = logger
  }

  request(): void {
    if (this.#running) {
      this.#again = true
      this.#logger.info('a reload is running: another one follows')
      return
    }
    this.#running = true
    void this.#loop()
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false
      this.#logger.info('reload: replacing the workers one by one')
      try {
        await this.#run()
        this.#logger.info('reload done')
      } catch (error) {
        this.#logger.error({ err: error }, 'reload failed')
      }
    } while (this.#again)
    this.#running = false
  }
}
