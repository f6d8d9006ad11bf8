/**
 * Looks after files that must stay in place while the host runs: a tool that tidies up, or a person, may
 * remove them. A missing file is made again. What can't be made again now is tried at each look.
 */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import { ExitError } from './exit-codes.ts'

const EVERY_MS = 1_000

export interface KeptFile {
  readonly name: string
  isInPlace(): boolean
  /** Makes the file again. An `ExitError` means that the host must stop. */
  restore(): void | Promise<void>
}

export interface FileWatchOptions {
  files: readonly KeptFile[]
  logger: Logger
  registry: Registry
  onExitError(error: ExitError): void
  everyMs?: number
}

export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #lost: Counter
  /** Files that could not be made again at the last look. */
  readonly #missing = new Set<KeptFile>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: FileWatchOptions) {
    this.#options = options
    this.#lost = new Counter({
      name: 'rookery_files_lost_total',
      help: 'Times that a file of the running host had vanished: sockets, pid file',
      labelNames: ['file'],
      registers: [options.registry],
    })
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs ?? EVERY_MS)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    for (const file of this.#options.files) await this.#lookAt(file)
    this.#schedule()
  }

  async #lookAt(file: KeptFile): Promise<void> {
    const { logger } = this.#options
    try {
      if (this.#closed || file.isInPlace()) return
      if (!this.#missing.has(file)) this.#lost.inc({ file: file.name })
      await file.restore()
      this.#missing.delete(file)
      logger.warn({ file: file.name }, 'a file of the running host had vanished: it was made again')
    } catch (error) {
      if (error instanceof ExitError) return this.#options.onExitError(error)
      if (this.#missing.has(file)) return
      this.#missing.add(file)
      logger.error(
        { err: error, file: file.name },
        'a file of the running host has vanished and can not be made again now: it is tried every second',
      )
    }
  }
}
