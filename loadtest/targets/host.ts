/**
 * One host of a target, with a fixed address and port: starts, is killed, is stopped and comes back, with any
 * server program. Knows which process exits were intended.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../test/harness/until.ts'
import type { ServerProcess, ServerRole } from '../model/server-process.ts'
import { FaultMissed } from '../model/target.ts'
import {
  childrenOf,
  isRunning,
  isStopped,
  killAll,
  pauseAll,
  resumeAll,
  signal,
  terminate,
} from '../system/processes.ts'
import { SerialQueue } from './serial-queue.ts'
import { STALL_MS } from './server-environment.ts'

export interface ExitedWorker {
  pid: number
  /** As its server reports it: exit code, signal, reason. Empty if unknown. */
  how: string
}

/** One running instance of a host's server program. */
export interface Server {
  readonly pid: number
  /** Whether its first process serves clients itself or has workers. */
  readonly role: ServerRole
  /** Process ids, oldest first. */
  readyWorkers(): readonly number[]
  /** Workers whose exit it reported. */
  exitedWorkers(): readonly ExitedWorker[]
  /** It accepts connections with all of its workers, and knows `others` hosts. */
  isReady(others: number): Promise<boolean>
  /** Replaces its workers one by one; resolves when it has started to. */
  reload?(): Promise<void>
  /** Resolves when all workers are replaced, or it has exited. Has a time-out. */
  reloaded?(): Promise<void>
  tail(): string
}

export class Host {
  readonly index: number
  readonly url: string
  /** Runs this host's faults in order. */
  readonly queue = new SerialQueue()
  readonly #startServer: () => Promise<Server>
  readonly #servers: Server[] = []
  readonly #expectedExits = new Set<number>()
  readonly #paused = new Map<number, number>()
  /** Workers whose primary was killed: they should exit on their own. */
  #orphans: number[] = []

  /** @param startServer resolves when the server accepts connections */
  constructor(index: number, url: string, startServer: () => Promise<Server>) {
    this.index = index
    this.url = url
    this.#startServer = startServer
  }

  get server(): Server {
    const server = this.#servers.at(-1)
    if (server === undefined) throw new Error(`host ${this.index} was never started`)
    return server
  }

  get isUp(): boolean {
    return this.#servers.length > 0 && isRunning(this.server.pid)
  }

  async start(): Promise<void> {
    if (this.isUp) throw new FaultMissed(`host ${this.index} is already running`)
    this.#servers.push(await this.#startServer())
  }

  /** The server may not have noticed a worker's exit yet. */
  async isReady(others: number): Promise<boolean> {
    return this.server.readyWorkers().every(isRunning) && (await this.server.isReady(others))
  }

  /** Kills all of its processes, as in a power failure. */
  async kill(): Promise<void> {
    const orphans = this.#orphans.splice(0)
    if (!this.isUp) return killAll(orphans)
    const { pid } = this.server
    // Stop it first, so that it forks no process between listing its children and its end.
    await pauseAll([pid])
    const all = [pid, ...childrenOf(pid)]
    for (const each of all) this.#expectedExits.add(each)
    await killAll([...all, ...orphans])
  }

  /** Kills its first process only; the workers notice it. */
  async killPrimary(): Promise<void> {
    const [pid = 0, ...workers] = this.#processTree()
    this.#orphans.push(...workers)
    this.#expectedExits.add(pid)
    await killAll([pid])
  }

  /** Stops it gracefully: it has time to move its clients. Resolves when it has exited. */
  async stop(): Promise<void> {
    const pids = this.#processTree()
    for (const pid of pids) this.#expectedExits.add(pid)
    await terminate(this.server.pid)
  }

  async stallPrimary(): Promise<void> {
    this.#expectStartingWorkersToExit()
    await this.#stall(this.#processTree()[0] ?? 0)
  }

  /** Stops all of its processes (SIGSTOP); connections to it stay open. */
  pause(): Promise<void> {
    this.#expectStartingWorkersToExit()
    return pauseAll(this.#processTree())
  }

  resume(): Promise<void> {
    return resumeAll(this.#processTree())
  }

  async killWorker(index: number): Promise<void> {
    const pid = await this.#workerAt(index)
    this.#expectedExits.add(pid)
    await killAll([pid])
  }

  async pauseWorker(index: number): Promise<void> {
    const pid = await this.#workerAt(index)
    // Its primary may end it, because it does not respond.
    this.#expectedExits.add(pid)
    this.#paused.set(index, pid)
    await pauseAll([pid])
  }

  async resumeWorker(index: number): Promise<void> {
    const pid = this.#paused.get(index)
    this.#paused.delete(index)
    if (pid !== undefined && isStopped(pid)) await resumeAll([pid])
  }

  /** Sends SIGTERM directly to a worker, as systemd and terminals send it to all processes of a service. */
  async terminateWorker(index: number): Promise<void> {
    signal(await this.#workerAt(index), 'SIGTERM')
  }

  async stallWorker(index: number): Promise<void> {
    await this.#stall(await this.#workerAt(index))
  }

  async reload(): Promise<void> {
    this.#processTree()
    await this.server.reload?.()
  }

  async reloaded(): Promise<void> {
    await this.server.reloaded?.()
  }

  processes(): ServerProcess[] {
    if (!this.isUp) return []
    const { pid, role } = this.server
    const workers = childrenOf(pid).map((child) => this.#process(child, 'worker'))
    return [this.#process(pid, role), ...workers]
  }

  /** Unrequested exits, one line each. */
  unexpectedExits(): string[] {
    return this.#servers.flatMap((server) => {
      const workers = server.exitedWorkers().filter(({ pid }) => !this.#expectedExits.has(pid))
      const lines = workers.map(({ pid, how }) => {
        const line = `worker ${pid} of host ${this.index} exited unexpectedly`
        return how === '' ? line : `${line}: ${how}`
      })
      const ended = !isRunning(server.pid) && !this.#expectedExits.has(server.pid)
      return ended ? [...lines, `host ${this.index} (process ${server.pid}) exited unexpectedly`] : lines
    })
  }

  /** A starting worker exits when its primary does not respond, and another one is started. */
  #expectStartingWorkersToExit(): void {
    const [, ...workers] = this.#processTree()
    const ready = this.server.readyWorkers()
    for (const pid of workers) if (!ready.includes(pid)) this.#expectedExits.add(pid)
  }

  /** The last lines of its output. */
  tail(): string {
    return this.#servers.at(-1)?.tail() ?? ''
  }

  #process(pid: number, role: ServerRole): ServerProcess {
    return { pid, role, host: this.index }
  }

  #processTree(): number[] {
    if (!this.isUp) throw new FaultMissed(`host ${this.index} is not running`)
    return [this.server.pid, ...childrenOf(this.server.pid)]
  }

  /** Waits for the replacement of a worker that just exited. Has a time-out. */
  async #workerAt(index: number): Promise<number> {
    const { server } = this
    let pid: number | undefined
    await until(
      () => {
        pid = server.readyWorkers()[index]
        return !isRunning(server.pid) || (pid !== undefined && isRunning(pid))
      },
      `host ${this.index} has a worker ${index}`,
      () => server.tail(),
    )
    if (pid === undefined || !isRunning(server.pid))
      throw new FaultMissed(`host ${this.index} is not running`)
    return pid
  }

  async #stall(pid: number): Promise<void> {
    signal(pid, 'SIGUSR2')
    await delay(STALL_MS)
  }
}
