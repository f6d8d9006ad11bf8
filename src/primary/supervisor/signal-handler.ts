/**
 * What a host is told from outside: stop (SIGTERM, SIGINT, pm2's `shutdown`), stop at once (the same again), reload
 * (SIGHUP). Knows nothing of how these are carried out.
 */
import type { Logger } from 'pino'
import { exitCodes } from '../../ops/exit-codes.ts'

export interface StopOrder {
  reason: string
  exitCode: number
}

/** One Ctrl-C reaches a process more than once (from the terminal and from npm, say): so soon it is still the same. */
const SAME_ORDER_MS = 500

export class Orders {
  readonly #now: () => number
  /** Resolves with the first order to stop. */
  readonly stopped: Promise<StopOrder>
  /** Resolves with the exit code when an error came up that nobody caught: what is in memory is not to be trusted. */
  readonly crashed: Promise<number>
  #crash: (exitCode: number) => void = () => undefined
  #stop: (order: StopOrder) => void = () => undefined
  #askedAt: number | undefined
  #onReload: () => void = () => undefined
  #onHurry: () => void = () => undefined

  constructor(now: () => number) {
    this.#now = now
    this.crashed = new Promise((resolve) => {
      this.#crash = resolve
    })
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve
    })
  }

  /** The first time: a stop that lets work in hand be finished. After that: at once. */
  stop(reason: string, exitCode = 0): void {
    if (this.#askedAt !== undefined && this.#now() - this.#askedAt > SAME_ORDER_MS) this.#onHurry()
    this.#askedAt ??= this.#now()
    this.#stop({ reason, exitCode })
  }

  crash(exitCode: number): void {
    this.#crash(exitCode)
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
  const orders = new Orders(() => performance.now())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => orders.stop(signal))
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught: the host ends')
    orders.crash(exitCodes.unexpected.code)
  })
  process.on('SIGHUP', () => orders.reload())
  process.on('message', (message: unknown) => {
    if (message === 'shutdown') orders.stop('shutdown message')
    else logger.debug('a message of the process manager was passed over')
  })
  return orders
}
