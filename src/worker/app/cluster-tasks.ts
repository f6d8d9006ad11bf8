/**
 * `context.once` and `context.every`: tasks of the application that run on one worker of the cluster at a time,
 * and move to another when it dies or drains.
 */
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { withTimeout } from '../../core/with-timeout.ts'
import { HeldLease, type LeaseRequests } from './held-lease.ts'

export type ClusterTask = (signal: AbortSignal) => unknown

export interface ClusterTasksOptions {
  requests: LeaseRequests
  logger: Logger
  registry: Registry
  now: () => number
}

type Outcome = 'done' | 'failed' | 'aborted'

const MAX_INTERVAL_MS = 2 ** 31 - 1
const NAME = /^[^\s:{}]{1,100}$/
/** After a task that failed, others get the lease first. */
const RETRY_MS = 5_000

export class ClusterTasks {
  readonly #options: ClusterTasksOptions
  readonly #leases = new Map<string, HeldLease>()
  /** By name: the present run. */
  readonly #running = new Map<string, Promise<Outcome>>()
  readonly #failed: Counter<'name'>

  constructor(options: ClusterTasksOptions) {
    this.#options = options
    this.#failed = new Counter({
      name: 'rookery_cluster_task_failures_total',
      help: 'Tasks of context.once and context.every that failed',
      labelNames: ['name'],
      registers: [options.registry],
    })
  }

  /** Starts `task` on one worker. If it fails it starts again, there or elsewhere; when it returns, it is over. */
  once(name: string, task: ClusterTask): void {
    let isOver = false
    this.#add(name, (lease, signal) => {
      if (isOver) return
      void this.#run(name, task, signal).then((outcome) => {
        if (outcome === 'done') isOver = true
        return outcome === 'failed' ? lease.yield(RETRY_MS) : undefined
      })
    })
  }

  /** Starts `task` every `intervalMs`, from start to start, and never twice at a time. */
  every(name: string, intervalMs: number, task: ClusterTask): void {
    if (!Number.isFinite(intervalMs) || intervalMs < 1 || intervalMs > MAX_INTERVAL_MS)
      throw new RangeError(`context.every: an interval is 1 to ${MAX_INTERVAL_MS} ms`)
    this.#add(name, (_lease, signal, ranAgoMs) => {
      const startIn = (waitMs: number) => {
        const timer = setTimeout(() => void start(), Math.max(0, waitMs))
        timer.unref()
        signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
      }
      const start = async (): Promise<void> => {
        const startedAt = this.#options.now()
        if (await this.#mayRun(name, signal)) await this.#run(name, task, signal)
        if (!signal.aborted) startIn(intervalMs - (this.#options.now() - startedAt))
      }
      startIn(ranAgoMs === null ? intervalMs : intervalMs - ranAgoMs)
    })
  }

  /** Aborts what runs here, waits for it up to `timeoutMs`, and gives all leases back. */
  async close(timeoutMs: number): Promise<void> {
    const leases = [...this.#leases.values()]
    for (const lease of leases) lease.abort()
    await withTimeout<unknown>(timeoutMs, Promise.all(this.#running.values()), () => undefined)
    await Promise.all(leases.map((lease) => lease.close()))
  }

  #add(name: string, onHeld: (lease: HeldLease, signal: AbortSignal, ranAgoMs: number | null) => void): void {
    if (!NAME.test(name))
      throw new TypeError('the name of a task has 1 to 100 characters, without spaces, colons and braces')
    if (this.#leases.has(name)) throw new Error(`context.once and context.every: '${name}' is in use`)
    const { requests, logger, now } = this.#options
    const lease: HeldLease = new HeldLease({
      name,
      requests,
      now,
      onHeld: (signal, ranAgoMs) => onHeld(lease, signal, ranAgoMs),
      onError: (error) => logger.debug({ err: error, name }, 'the lease of a task could not be asked for'),
    })
    this.#leases.set(name, lease)
  }

  async #mayRun(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      return !signal.aborted && (await this.#options.requests.ran(name)) && !signal.aborted
    } catch (error) {
      this.#options.logger.warn({ err: error, name }, 'a task was not started: its lease is not certain')
      return false
    }
  }

  /** One run after the other, also where an earlier one did not heed its signal. */
  async #run(name: string, task: ClusterTask, signal: AbortSignal): Promise<Outcome> {
    await this.#running.get(name)
    if (signal.aborted) return 'aborted'
    const run = this.#runNow(name, task, signal)
    this.#running.set(name, run)
    const outcome = await run
    if (this.#running.get(name) === run) this.#running.delete(name)
    return outcome
  }

  async #runNow(name: string, task: ClusterTask, signal: AbortSignal): Promise<Outcome> {
    try {
      await task(signal)
      return signal.aborted ? 'aborted' : 'done'
    } catch (error) {
      // It may end by the error of its signal.
      if (signal.aborted) return 'aborted'
      this.#failed.inc({ name })
      this.#options.logger.error({ err: error, name }, 'a task of the application failed')
      return 'failed'
    }
  }
}
