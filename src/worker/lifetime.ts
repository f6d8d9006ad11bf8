/**
 * What ends a worker: the primary's command to drain, or, at once, the end of the primary or an error of its
 * own.
 */
import type { Logger } from 'pino'
import { isInspected } from '../core/inspected.ts'
import { type PrimaryControl, primaryControl } from '../wire/control.ts'
import { reasonOf, sendControl } from './control.ts'
import { startFailure } from './start-failure.ts'

export const UNCAUGHT = 'uncaught exception: the worker exits'

type DrainCommand = Omit<Extract<PrimaryControl, { type: 'rookery:drain' }>, 'type'>

export interface DrainableWorker {
  drain(command: DrainCommand): Promise<void>
  close(): Promise<void>
}

export class Lifetime {
  /** Resolves with the exit code when the worker has to exit without a drain. */
  readonly ended: Promise<number>
  /** A debugger may stop the primary, by its last ping. */
  primaryInspected = false
  /** The application is being loaded: errors at the start are its own. */
  isLoadingApp = false
  /** For errors that nothing caught. */
  onUncaught: (error: unknown) => void = (error) => this.startFailed(error)
  readonly #logger: Logger
  readonly #drain: Promise<DrainCommand>
  #end: (exitCode: number) => void = () => undefined
  #drained = false

  constructor(logger: Logger) {
    this.#logger = logger
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    process.once('disconnect', () => this.onPrimaryGone('the IPC channel to the primary is gone'))
    this.#drain = new Promise((resolve) => {
      process.on('message', (message: unknown) => {
        const command = primaryControl.safeParse(message)
        if (!command.success) return
        if (command.data.type === 'rookery:drain') resolve(command.data)
        else {
          this.#notePrimary(command.data.inspected)
          sendControl(logger, { type: 'rookery:pong', inspected: isInspected() })
        }
      })
    })
  }

  #notePrimary(inspected: boolean): void {
    if (inspected && !this.primaryInspected)
      this.#logger.warn('the inspector of the primary is open: silence of the primary ends nothing')
    this.primaryInspected = inspected
  }

  end(): void {
    this.#end(1)
  }

  /** An error after which the worker can't go on. */
  crash(error: unknown, message: string): void {
    this.#logger.fatal({ err: error }, message)
    sendControl(this.#logger, { type: 'rookery:failed', reason: reasonOf(error) })
    this.end()
  }

  /** An error at the start. The primary tells it, once for all workers. */
  startFailed(error: unknown): void {
    this.#logger.debug({ err: error }, 'the worker could not start')
    const start = startFailure(error, this.isLoadingApp)
    sendControl(this.#logger, { type: 'rookery:failed', reason: reasonOf(error), start })
    this.end()
  }

  onPrimaryGone(reason: string): void {
    if (this.#drained) return
    this.#logger.warn({ reason }, 'the worker exits')
    this.end()
  }

  /** Waits for the command to drain, then drains and closes the worker. @returns the exit code */
  async drainWhenTold(worker: DrainableWorker): Promise<number> {
    const command = await this.#drain
    this.#logger.info({ spreadMs: command.spreadMs }, 'draining')
    await worker.drain(command)
    this.#drained = true
    await worker.close()
    return 0
  }
}
