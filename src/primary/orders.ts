/**
 * What a host is told from outside: stop (SIGTERM, SIGINT, pm2's `shutdown`), stop at once (the same again), reload
 * (SIGHUP). Knows nothing of how these are carried out.
 */
import type { Logger } from 'pino'

export interface StopOrder {
  reason: string
  exitCode: number
}

export class Orders {
  /** Resolves with the first order to stop. */
  readonly stopped: Promise<StopOrder>
  #stop: (order: StopOrder) => void = () => undefined
  #asked = false
  #onReload: () => void = () => undefined
  #onHurry: () => void = () => undefined

  constructor() {
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve
    })
  }

  /** The first time: a stop that lets work in hand be finished. After that: at once. */
  stop(reason: string, exitCode = 0): void {
    if (this.#asked) this.#onHurry()
    this.#asked = true
    this.#stop({ reason, exitCode })
  }

  reload(): void {
    this.#onReload()
  }

  onReload(listener: () => void): void {
    this.#onReload = listener
  }

  onHurry(listener: () => void): void {
    this.#onHurry = listener
  }
}

/** Orders by signals and by the process manager's messages. */
export function listenForOrders(logger: Logger): Orders {
  const orders = new Orders()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => orders.stop(signal))
  process.on('SIGHUP', () => orders.reload())
  process.on('message', (message: unknown) => {
    if (message === 'shutdown') orders.stop('shutdown message')
    else logger.debug('a message of the process manager was passed over')
  })
  return orders
}
