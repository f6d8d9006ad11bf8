/**
 * What a host is told from outside: stop (SIGTERM, SIGINT, pm2's `shutdown`), stop at once (the same again), reload
 * (SIGHUP). Knows nothing of how these are carried out.
 */
import type { Logger } from 'pino'
import { exitCodes } from '../../ops/exit-codes.ts'

export interface StopRequest {
  reason: string
  exitCode: number
}

/** One Ctrl-C reaches a process more than once (from the terminal and from npm, say): so soon it is still the same. */
const SAME_REQUEST_MS = 500

export class SignalHandler {
  readonly #now: () => number
  /** Resolves with the first order to stop. */
  readonly stopped: Promise<StopRequest>
  /** Resolves with the exit code when an error came up that nobody caught: what is in memory is not to be trusted. */
  readonly crashed: Promise<number>
  #crash: (exitCode: number) => void = () => undefined
  #stop: (request: StopRequest) => void = () => undefined
  #stopRequestedAt: number | undefined
  #onReload: () => void = () => undefined
  #onKill: () => void = () => undefined

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
    if (this.#stopRequestedAt !== undefined && this.#now() - this.#stopRequestedAt > SAME_REQUEST_MS)
      this.#onKill()
    this.#stopRequestedAt ??= this.#now()
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

  onKill(listener: () => void): void {
    this.#onKill = listener
  }
}

/** SignalHandler by signals and by the process manager's messages. */
export function handleSignals(logger: Logger): SignalHandler {
  const signals = new SignalHandler(() => performance.now())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => signals.stop(signal))
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught: the host ends')
    signals.crash(exitCodes.unexpected.code)
  })
  process.on('SIGHUP', () => signals.reload())
  process.on('message', (message: unknown) => {
    if (message === 'shutdown') signals.stop('shutdown message')
    else logger.debug('a message of the process manager was passed over')
  })
  return signals
}
