/**
 * One worker process from fork to exit: booting → ready → draining → gone. Handles deadlines and signals. The
 * supervisor decides what a crash means for the host.
 */
import type { Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { isInspected } from '../../core/inspected.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import type {
  PrimaryControl,
  StartFailure,
  WorkerBoot,
  WorkerControl,
  WorkerDoor,
} from '../../wire/control.ts'

export interface ForkedWorker {
  readonly name: string
  /** Tag of the worker in session ids. */
  readonly tag: string
  readonly process: Worker
  /** Its start parameters, as of now. */
  boot(): WorkerBoot
  /** Calls back with each validated control message. */
  onControl(listener: ControlListener): void
}

/** @param handle the connection that came with the message, if one did */
export type ControlListener = (message: WorkerControl, handle: unknown) => void

export interface WorkerExit {
  code: number | null
  signal: string | null
  /** It was asked to exit. */
  expected: boolean
  /** It was killed because it had not exited by its deadline. */
  overdue: boolean
  /** It had been ready for a while. */
  stable: boolean
  reason: string | undefined
  /** It ended because it could not start, and has told why. */
  start: StartFailure | undefined
}

/** The worker does not read its IPC channel. */
export class ChannelSilence extends Error {
  constructor(timeoutMs: number) {
    super(`no answer on the IPC channel within ${timeoutMs} ms`)
    this.name = 'ChannelSilence'
  }
}

interface WorkerListeners {
  ready(door: WorkerDoor): void
  /** It asks to be replaced. */
  inDoubt(reason: string): void
  exited(exit: WorkerExit): void
}

/** How long the end of the channel to a worker that has exited is waited for. */
const LAST_WORDS_MS = 1_000

/** A worker is stable after it has been ready for this long. */
const STABLE_AFTER_MS = 5_000

export class WorkerProcess {
  readonly forked: ForkedWorker
  readonly startedAt: number
  /** Resolves with whether it became ready. */
  readonly booted: Promise<boolean>
  /** Resolves when the process has exited. */
  readonly ended: Promise<void>
  state: 'booting' | 'ready' | 'draining' = 'booting'
  gone = false
  /** A debugger may stop it, by its last answer to a ping. */
  inspected = false
  bootMs = 0
  readonly #logger: Logger
  readonly #now: () => number
  readonly #listeners: WorkerListeners
  #readyAt: number | undefined
  #deadline: NodeJS.Timeout
  #expected = false
  #isInDoubt = false
  #overdue = false
  #reason: string | undefined
  #start: StartFailure | undefined
  /** Resolves the open ping. There is at most one, so that an unread channel does not fill up. */
  #pong: (() => void) | undefined
  #resolveBooted: (ready: boolean) => void = () => undefined
  #resolveEnded: () => void = () => undefined

  constructor(
    forked: ForkedWorker,
    options: { bootTimeoutMs: number; logger: Logger; now: () => number },
    listeners: WorkerListeners,
  ) {
    this.forked = forked
    this.#logger = options.logger
    this.#now = options.now
    this.#listeners = listeners
    this.startedAt = options.now()
    this.booted = new Promise((resolve) => {
      this.#resolveBooted = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.#deadline = setTimeout(() => this.#bootOverdue(options.bootTimeoutMs), options.bootTimeoutMs)
    forked.onControl((message) => this.#control(message))
    forked.process.on('error', (error) => this.#failed(error))
    forked.process.once('exit', (code, signal) => void this.#exited(code, signal))
  }

  get name(): string {
    return this.forked.name
  }

  get pid(): number {
    return this.forked.process.process.pid ?? 0
  }

  /** Why it failed, if it or its supervisor could say. */
  get failure(): string | undefined {
    return this.#reason
  }

  get stable(): boolean {
    return this.#readyAt !== undefined && this.#now() - this.#readyAt >= STABLE_AFTER_MS
  }

  /**
   * Asks the worker to close its connections, spread over `spreadMs`, and to exit. Kills it at the deadline.
   */
  drain(spreadMs: number, deadlineMs: number): void {
    if (this.state === 'draining' || this.gone) return
    this.state = 'draining'
    this.#expected = true
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#drainOverdue(deadlineMs), deadlineMs)
    this.#send({ type: 'rookery:drain', spreadMs, deadlineMs })
  }

  /** Rejects if the worker has not answered within `timeoutMs`. Sends no second ping while one is open. */
  async ask(timeoutMs: number): Promise<void> {
    const answered = new Promise<boolean>((resolve) => {
      const isAsked = this.#pong !== undefined
      this.#pong = () => resolve(true)
      if (!isAsked) this.#send({ type: 'rookery:ping', inspected: isInspected() })
    })
    const isAnswered = await withTimeout(timeoutMs, answered, () => false)
    if (!isAnswered) throw new ChannelSilence(timeoutMs)
  }

  kill(): void {
    this.#expected = true
    this.forked.process.process.kill('SIGKILL')
  }

  /** Kills a worker that no longer answers. Counts as a crash, with `reason`. */
  killHung(reason: string): void {
    this.#reason = reason
    this.forked.process.process.kill('SIGKILL')
  }

  /**
   * An error of the channel or of the start. After a failed start there is no process and no `exit` event.
   */
  #failed(error: Error): void {
    if (this.forked.process.process.pid !== undefined) {
      this.#logger.warn({ worker: this.name, err: error }, 'the IPC channel to a worker failed')
      return
    }
    this.#reason = `no process could be started: ${error.message}`
    this.#exit(null, null)
  }

  #send(message: PrimaryControl | WorkerBoot): void {
    this.forked.process.send(message, (error) => {
      if (error === null || error === undefined) return
      this.#logger.warn(
        { worker: this.name, err: error, type: message.type },
        'worker could not be notified: killed',
      )
      this.forked.process.process.kill('SIGKILL')
    })
  }

  #control(message: WorkerControl): void {
    if (message.type === 'rookery:hello') this.#send(this.forked.boot())
    if (message.type === 'rookery:failed') {
      this.#reason = message.reason
      this.#start = message.start
    }
    if (message.type === 'rookery:replace') this.#noteDoubt(message.reason)
    if (message.type === 'rookery:pong') {
      this.#noteInspected(message.inspected)
      this.#pong?.()
      this.#pong = undefined
    }
    if (message.type !== 'rookery:ready' || this.state !== 'booting') return
    clearTimeout(this.#deadline)
    this.state = 'ready'
    this.#readyAt = this.#now()
    this.bootMs = this.#readyAt - this.startedAt
    this.#resolveBooted(true)
    this.#listeners.ready(message)
  }

  #noteDoubt(reason: string): void {
    if (this.state !== 'ready' || this.#isInDoubt) return
    this.#isInDoubt = true
    this.#listeners.inDoubt(reason)
  }

  #noteInspected(inspected: boolean): void {
    if (inspected && !this.inspected)
      this.#logger.warn(
        { worker: this.name },
        'the inspector of a worker is open: it is not killed when it does not answer',
      )
    this.inspected = inspected
  }

  /** What a worker that could not start has told last may arrive after its exit. */
  async #exited(code: number | null, signal: string | null): Promise<void> {
    const { process } = this.forked
    if (this.state === 'booting' && process.isConnected()) {
      const read = new Promise<void>((resolve) => process.once('disconnect', resolve))
      await withTimeout(LAST_WORDS_MS, read, () => undefined)
    }
    this.#exit(code, signal)
  }

  #exit(code: number | null, signal: string | null): void {
    if (this.gone) return
    clearTimeout(this.#deadline)
    this.gone = true
    const { stable } = this
    this.#resolveBooted(false)
    this.#resolveEnded()
    this.#listeners.exited({
      code,
      signal,
      expected: this.#expected,
      overdue: this.#overdue,
      stable,
      reason: this.#reason,
      start: this.#start,
    })
  }

  #bootOverdue(bootTimeoutMs: number): void {
    this.#reason = `not ready within ${bootTimeoutMs} ms`
    this.forked.process.process.kill('SIGKILL')
  }

  #drainOverdue(deadlineMs: number): void {
    this.#overdue = true
    this.#logger.warn({ worker: this.name, deadlineMs }, 'worker has not exited by its deadline: killed')
    this.forked.process.process.kill('SIGKILL')
  }
}
