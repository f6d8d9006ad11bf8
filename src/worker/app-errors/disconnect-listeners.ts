/** The promises of listeners for `disconnect` and `disconnecting`, which a worker waits for before it exits. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { registerGauge } from '../../core/register-gauge.ts'
import { withTimeout } from '../../core/with-timeout.ts'

export class DisconnectListeners {
  readonly #logger: Logger
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor({ logger, registry }: { logger: Logger; registry: Registry }) {
    this.#logger = logger
    registerGauge(registry, {
      name: 'rookery_disconnect_listeners_running',
      help: "Listeners of the application for a socket's end whose promises are open",
      read: () => this.#running,
    })
  }

  add(promise: Promise<unknown>): void {
    this.#running += 1
    void promise.finally(() => {
      this.#running -= 1
      if (this.#running === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    })
  }

  /** Resolves when none runs any longer, at the latest after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#running === 0) return
    const settled = new Promise<void>((resolve) => this.#waiting.push(resolve))
    await withTimeout(timeoutMs, settled, () =>
      this.#logger.error(
        { count: this.#running, timeoutMs: Math.round(timeoutMs) },
        "the application's listeners for `disconnect` took too long: the worker exits without them",
      ),
    )
  }
}
