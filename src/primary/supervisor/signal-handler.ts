/**
 * Handles signals and messages of the process manager: stop (SIGTERM, SIGINT, pm2's `shutdown`), stop at once
 * (the same again), reload (SIGHUP). Does not carry them out itself.
 */
import type { Logger } from 'pino'
import { exitCodes } from '../../ops/exit-codes.ts'

export interface StopRequest {
  reason: string
  exitCode: number
}

/**
 * One Ctrl-C may reach a process more than once (from the terminal and from npm). Within this time it counts
 * as one.
 */
const SAME_REQUEST_MS = 500

export class SignalHandler {
  readonly #now: () => number
  /** Resolves with the first request to stop. */
  readonly stopped: Promise<StopRequest>
  /** Resolves with the request to stop at once. */
  readonly killed: Promise<void>
  /** Resolves with the exit code after an uncaught error: the state in memory can't be trusted. */
  readonly crashed: Promise<number>
  #crash: (exitCode: number) => void = () => undefined
  #stop: (request: StopRequest) => void = () => undefined
  #kill: () => void = () => undefined
  #stopRequestedAt: number | undefined
  #onReload: () => void = () => undefined
  #onKill: () => void = () => undefined

  constructor(now: () => number) {
    this.#now = now
    this.crashed = new Promise((resolve) => {
      this.#crash = resolve
    })
    this.killed = new Promise((resolve) => {
      this.#kill = resolve
    })
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve
    })
  }

  /** The first call stops gracefully. Later calls stop at once. */
  stop(reason: string, exitCode = 0): void {
    if (this.#stopRequestedAt !== undefined && this.#now() - this.#stopRequestedAt > SAME_REQUEST_MS) {
      this.#kill()
      this.#onKill()
    }
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

/** Installs the handlers on this process. */
export function handleSignals(logger: Logger): SignalHandler {
  const signals = new SignalHandler(() => performance.now())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => signals.stop(signal))
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'uncaught error: the host exits')
    signals.crash(exitCodes.unexpected.code)
  })
  process.on('SIGHUP', () => signals.reload())
  process.on('message', (message: unknown) => {
    if (message === 'shutdown') signals.stop('shutdown message')
    else logger.debug('a message of the process manager was ignored')
  })
  return signals
}
