/** What an application does at the end of its worker: in reverse order, within the time that is left. */
import type { Logger } from 'pino'
import { withTimeout } from '../../core/with-timeout.ts'

export type StopHook = (leftMs: number) => void | Promise<void>

/** Left to the hooks where something else takes all the time. */
const OWN_MS = 1_000

export class StopHooks {
  readonly #hooks: StopHook[] = []
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(hook: StopHook): void {
    this.#hooks.unshift(hook)
  }

  /** How much of the time that is left others may take. */
  spare(leftMs: number): number {
    return this.#hooks.length === 0 ? leftMs : leftMs - Math.min(leftMs / 2, OWN_MS)
  }

  /** Never rejects: the end of a worker does not wait for an application that fails. */
  async run(timeoutMs: number): Promise<void> {
    if (this.#hooks.length === 0) return
    const endsAt = performance.now() + timeoutMs
    const all = async () => {
      for (const hook of this.#hooks) await this.#run(hook, Math.max(0, endsAt - performance.now()))
      return true
    }
    const inTime = await withTimeout(timeoutMs, all(), () => false)
    if (!inTime)
      this.#logger.error(
        { timeoutMs },
        "the application's stop hooks took too long: the worker exits without them",
      )
  }

  async #run(hook: StopHook, leftMs: number): Promise<void> {
    try {
      await hook(Math.round(leftMs))
    } catch (error) {
      this.#logger.error({ err: error }, "the application's stop hook failed")
    }
  }
}
