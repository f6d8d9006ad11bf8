/**
 * Owns the worker processes of this host. Forks them, restarts crashed ones with a back-off, replaces them
 * one by one on a reload, drains them on a stop, and gives up if they keep crashing before the host has ever
 * been ready. It hands over no connections and carries no messages; it emits events when a worker becomes
 * ready, drains or has exited.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'
import { Semaphore } from '../../core/semaphore.ts'
import type { WorkerDoor } from '../../wire/control.ts'
import { CrashLoop } from './crash-loop.ts'
import { ReloadFailed, type ReloadProgress, ReloadQueue, type ReloadState } from './reload-queue.ts'
import { StartFailures } from './start-failures.ts'
import type { ForkedWorker, WorkerExit } from './worker-process.ts'
import { WorkerProcess } from './worker-process.ts'

export interface SupervisorOptions {
  workers: number
  bootTimeoutMs: number
  /** A draining worker closes its connections one after another within this time. */
  drainMs: number
  /** A worker that has not exited this long after the request is killed. */
  stopDeadlineMs: number
  /** A worker that does not become ready is started again by a reload alone, and is no reason to give up. */
  holdsFailedStarts?: boolean
  /** Forks a worker. Numbers never repeat. */
  fork: (number: number) => ForkedWorker
  logger: Logger
  registry: Registry
  now: () => number
}

/** Events for the other parts of the primary. */
export interface SupervisorEvents {
  /** @param slot the worker's place, from 0; a successor takes it over */
  ready(worker: ForkedWorker, door: WorkerDoor, slot: number): void
  draining(name: string): void
  /** @param isDeath it was not asked to exit */
  exited(name: string, isDeath: boolean): void
  /** With `holdsFailedStarts`: a worker did not become ready. */
  held?(reason: string): void
  /** Workers keep crashing: no more are started. */
  gaveUp(reason: string): void
}

interface Slot {
  current: WorkerProcess | undefined
  failures: number
  restart: NodeJS.Timeout | undefined
}

const FIRST_RESTART_DELAY_MS = 200
const TRIES_OF_A_RELOAD = 3
const LONGEST_RESTART_DELAY_MS = 10_000

export class Supervisor {
  /** Resolves when all workers have become ready for the first time. */
  readonly allReady: Promise<void>
  readonly #options: SupervisorOptions
  readonly #events: SupervisorEvents
  readonly #slots: Slot[]
  readonly #live = new Set<WorkerProcess>()
  readonly #crashLoop: CrashLoop
  readonly #startFailures: StartFailures
  readonly #reloads: ReloadQueue
  readonly #restarts: Counter
  readonly #inDoubt: Counter
  /** Workers are replaced one after the other. The queue has a bound: each asks once, and there is one reload. */
  readonly #replacements = new Semaphore({ permits: 1, queueMax: Number.POSITIVE_INFINITY })
  #numbers = 0
  #started = false
  /** All workers have been ready at the same time. */
  #wasReady = false
  #stopping = false
  #resolveAllReady: () => void = () => undefined
  #killedAtDeadline = 0
  #onEmpty: (() => void) | undefined

  constructor(options: SupervisorOptions, events: SupervisorEvents) {
    this.#options = options
    this.#events = events
    this.allReady = new Promise((resolve) => {
      this.#resolveAllReady = resolve
    })
    this.#slots = Array.from({ length: options.workers }, () => ({
      current: undefined,
      failures: 0,
      restart: undefined,
    }))
    this.#crashLoop = new CrashLoop(5 + options.workers)
    this.#startFailures = new StartFailures(options)
    this.#reloads = new ReloadQueue(
      (progress) => this.#replacements.run(() => this.#replaceAll(progress)),
      options.logger,
    )
    const registers = [options.registry]
    this.#restarts = new Counter({
      name: 'rookery_workers_died_total',
      help: 'Workers that exited unexpectedly',
      registers,
    })
    this.#inDoubt = new Counter({
      name: 'rookery_workers_in_doubt_total',
      help: 'Workers that asked to be replaced, because of an error that belongs to no client',
      registers,
    })
    const states = new Gauge({
      name: 'rookery_workers',
      help: 'Worker processes by state',
      labelNames: ['state'],
      registers,
      collect: () => {
        for (const state of ['booting', 'ready', 'draining'] as const)
          states.set({ state }, this.#count(state))
      },
    })
  }

  start(): void {
    this.#started = true
    for (const slot of this.#slots) this.#fork(slot)
  }

  readyCount(): number {
    return this.#count('ready')
  }

  list(): { name: string; pid: number; state: string; sinceMs: number }[] {
    const now = this.#options.now()
    return [...this.#live].map((worker) => ({
      name: worker.name,
      pid: worker.pid,
      state: worker.state,
      sinceMs: now - worker.startedAt,
    }))
  }

  /** Kills a hanging worker. It is replaced like one that crashed. */
  killHung(name: string, reason: string): void {
    for (const worker of this.#live) if (worker.name === name) worker.killHung(reason)
  }

  /** A debugger may have stopped the worker: its inspector is open. */
  isInspected(name: string): boolean {
    return [...this.#live].some((worker) => worker.name === name && worker.inspected)
  }

  /** Rejects unless the worker answers on its IPC channel within `timeoutMs`. */
  async ask(name: string, timeoutMs: number): Promise<void> {
    for (const worker of this.#live) if (worker.name === name) await worker.ask(timeoutMs)
  }

  /** Rolling reload: each worker is replaced by a new one that is ready before the old one drains. */
  reload(): void {
    if (this.#started && !this.#stopping) this.#reloads.request()
  }

  /** Null while the host starts or stops: a reload would do nothing. */
  get reloadState(): ReloadState | null {
    return this.#started && !this.#stopping ? this.#reloads.state : null
  }

  /**
   * Drains all workers and resolves when they have exited.
   * @returns how many had to be killed at the deadline
   */
  async stop(): Promise<number> {
    this.#stopping = true
    for (const slot of this.#slots) clearTimeout(slot.restart)
    for (const worker of this.#live) this.#drain(worker)
    await this.#untilEmpty()
    return this.#killedAtDeadline
  }

  /** Kills every worker at once, without a drain. */
  kill(): void {
    this.#stopping = true
    for (const slot of this.#slots) clearTimeout(slot.restart)
    for (const worker of this.#live) worker.kill()
  }

  #count(state: WorkerProcess['state']): number {
    let count = 0
    for (const worker of this.#live) if (worker.state === state) count += 1
    return count
  }

  /** @returns undefined if the system refuses a process; it is retried later */
  #fork(slot: Slot): WorkerProcess | undefined {
    clearTimeout(slot.restart)
    slot.restart = undefined
    this.#numbers += 1
    const forked = this.#tryFork()
    if (forked === undefined) {
      slot.failures += 1
      this.#restartLater(slot)
      return undefined
    }
    const worker = new WorkerProcess(forked, this.#options, {
      ready: (door) => this.#becameReady(worker, door, this.#slots.indexOf(slot)),
      inDoubt: (reason) => this.#replaceInDoubt(slot, worker, reason),
      exited: (exit) => this.#exited(slot, worker, exit),
    })
    this.#live.add(worker)
    slot.current = worker
    return worker
  }

  #tryFork(): ForkedWorker | undefined {
    try {
      return this.#options.fork(this.#numbers)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a worker could not be forked')
      return undefined
    }
  }

  #restartLater(slot: Slot): void {
    slot.restart = setTimeout(() => this.#fork(slot), restartDelayMs(slot.failures))
  }

  #becameReady(worker: WorkerProcess, door: WorkerDoor, slot: number): void {
    this.#options.logger.info(
      { worker: worker.name, workerPid: worker.pid, bootMs: Math.round(worker.bootMs) },
      'worker ready',
    )
    this.#startFailures.forget()
    this.#events.ready(worker.forked, door, slot)
    if (this.readyCount() < this.#slots.length) return
    this.#wasReady = true
    this.#resolveAllReady()
  }

  #exited(slot: Slot, worker: WorkerProcess, exit: WorkerExit): void {
    this.#live.delete(worker)
    this.#events.exited(worker.name, !exit.expected)
    if (exit.expected) this.#options.logger.info(factsOf(worker, exit), 'worker left')
    else {
      this.#restarts.inc()
      this.#tellDeath(worker, exit)
    }
    if (exit.overdue) this.#killedAtDeadline += 1
    if (this.#live.size === 0) this.#onEmpty?.()
    if (this.#stopping || slot.current !== worker || exit.expected) return
    if (worker.state === 'booting' && this.#options.holdsFailedStarts === true) this.#hold(slot, exit)
    else this.#replaceDead(slot, exit)
  }

  #hold(slot: Slot, exit: WorkerExit): void {
    slot.current = undefined
    this.#events.held?.(exit.reason ?? 'it ended')
  }

  #tellDeath(worker: WorkerProcess, exit: WorkerExit): void {
    const { start, reason = likelyReason(exit) } = exit
    const line = [{ ...factsOf(worker, exit), reason }, 'worker died'] as const
    if (start === undefined) this.#options.logger.error(...line)
    else {
      this.#startFailures.note({ ...start, worker: worker.name, reason: reason ?? '' })
      this.#options.logger.debug(...line)
    }
  }

  #replaceDead(slot: Slot, exit: WorkerExit): void {
    slot.current = undefined
    slot.failures = exit.stable ? 0 : slot.failures + 1
    const othersStable = [...this.#live].some((worker) => worker.stable)
    // What has worked once dies of its load: the next client may be a harmless one.
    if (!this.#wasReady && this.#crashLoop.died({ stable: exit.stable || othersStable })) {
      this.#giveUp(exit.reason ?? `code ${exit.code ?? 'none'}, signal ${exit.signal ?? 'none'}`)
      return
    }
    this.#restartLater(slot)
  }

  #giveUp(reason: string): void {
    this.#stopping = true
    this.#options.logger.fatal({ reason }, 'workers keep crashing: giving up')
    for (const worker of this.#live) worker.kill()
    this.#events.gaveUp(reason)
  }

  /** Replaces every worker that was running before, including one that no slot refers to any more. */
  async #replaceAll(progress: ReloadProgress): Promise<void> {
    const before = new Set(this.#live)
    progress.begin(this.#slots.length)
    this.#startFailures.forget()
    for (const [index, slot] of this.#slots.entries()) {
      // The first one shows whether the new code starts. Later ones have more tries: two versions must not stay.
      await this.#replace(slot, index === 0 ? 1 : TRIES_OF_A_RELOAD)
      progress.replaced()
    }
    for (const old of before) await this.#replaced(old)
  }

  async #replace(slot: Slot, tries: number): Promise<void> {
    if (this.#stopping) throw new ReloadFailed('the host is stopping')
    const old = slot.current
    const fresh = this.#fork(slot)
    if (fresh !== undefined && (await fresh.booted)) {
      if (old !== undefined) await this.#replaced(old)
      return
    }
    this.#keepOld(slot, old, fresh)
    if (tries > 1) await this.#replace(slot, tries - 1)
    else
      throw new ReloadFailed(`a new worker did not start: ${fresh?.failure ?? 'no process could be forked'}`)
  }

  /** The worker serves on until another is ready, then its clients move over the drain time. */
  #replaceInDoubt(slot: Slot, worker: WorkerProcess, reason: string): void {
    this.#inDoubt.inc()
    this.#options.logger.warn(
      { worker: worker.name, reason },
      'a worker is in doubt: it is replaced in order',
    )
    slot.failures = worker.stable ? 0 : slot.failures + 1
    void this.#untilReplaced(slot, worker)
  }

  async #untilReplaced(slot: Slot, worker: WorkerProcess): Promise<void> {
    const isOver = () => this.#stopping || slot.current !== worker
    while (!isOver()) {
      await delay(restartDelayMs(slot.failures), undefined, { ref: false })
      try {
        await this.#replacements.run(async () => {
          if (!isOver()) await this.#replace(slot, 1)
        })
      } catch (error) {
        slot.failures += 1
        this.#options.logger.warn({ worker: worker.name, err: error }, 'a worker in doubt serves on')
      }
    }
  }

  async #replaced(old: WorkerProcess): Promise<void> {
    if (old.gone || this.#stopping) return
    this.#drain(old)
    await old.ended
  }

  /** The replacement did not start: gives the slot back to the old worker, or schedules a restart. */
  #keepOld(slot: Slot, old: WorkerProcess | undefined, fresh: WorkerProcess | undefined): void {
    clearTimeout(slot.restart)
    slot.restart = undefined
    if (slot.current !== undefined && slot.current !== fresh) return
    slot.current = undefined
    if (old !== undefined && !old.gone) slot.current = old
    else if (!this.#stopping && !(fresh !== undefined && this.#options.holdsFailedStarts === true))
      this.#restartLater(slot)
  }

  #drain(worker: WorkerProcess): void {
    if (worker.state === 'booting') {
      worker.kill()
      return
    }
    this.#events.draining(worker.name)
    worker.drain(this.#options.drainMs, this.#options.stopDeadlineMs)
  }

  #untilEmpty(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }
}

function factsOf({ name, pid }: WorkerProcess, { code, signal }: WorkerExit) {
  return { worker: name, workerPid: pid, code, signal }
}

/** No delay after a first crash, then doubling up to a limit. */
function restartDelayMs(failures: number): number {
  if (failures <= 1) return 0
  return Math.min(FIRST_RESTART_DELAY_MS * 2 ** (failures - 2), LONGEST_RESTART_DELAY_MS)
}

/** The likely cause if the worker was not killed by this process and could not report anything. */
function likelyReason({ signal }: WorkerExit): string | undefined {
  if (signal === 'SIGABRT')
    return 'it gave itself up: out of memory (--max-old-space-size), or native code failed; stderr has more'
  if (signal === 'SIGKILL')
    return 'somebody else killed it: the system, for want of memory (see the kernel log), or a person'
  return undefined
}
