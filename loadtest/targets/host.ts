/**
 * One host of a target, on an address and a port that it keeps: begins, dies, stands still and comes back, whatever server runs on
 * it. Knows which ends of processes were meant.
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
  /** As its server tells it: exit code, signal, reason. Empty where it tells nothing. */
  how: string
}

/** One life of a host's server program. */
export interface Server {
  readonly pid: number
  /** What its first process does: serve clients itself, or have workers for it. */
  readonly role: ServerRole
  /** Process ids, oldest first. */
  readyWorkers(): readonly number[]
  /** Those of which it has said that they died. */
  exitedWorkers(): readonly ExitedWorker[]
  /** It takes connections with all of its workers, and knows `others` hosts. */
  isReady(others: number): Promise<boolean>
  /** Replaces its workers one by one; resolves when it has begun to. */
  reload?(): Promise<void>
  /** Resolves when it replaces no workers any more, or has ended. Bounded. */
  reloaded?(): Promise<void>
  tail(): string
}

export class Host {
  readonly index: number
  readonly url: string
  /** Of what is done to it. */
  readonly queue = new SerialQueue()
  readonly #boot: () => Promise<Server>
  readonly #servers: Server[] = []
  readonly #expectedExits = new Set<number>()
  readonly #paused = new Map<number, number>()
  /** Workers whose primary was killed: they are to leave by themselves. */
  #orphans: number[] = []

  /** @param boot resolves when the server takes connections */
  constructor(index: number, url: string, boot: () => Promise<Server>) {
    this.index = index
    this.url = url
    this.#boot = boot
  }

  get server(): Server {
    const server = this.#servers.at(-1)
    if (server === undefined) throw new Error(`host ${this.index} was never started`)
    return server
  }

  get runs(): boolean {
    return this.#servers.length > 0 && isRunning(this.server.pid)
  }

  async start(): Promise<void> {
    if (this.runs) throw new FaultMissed(`host ${this.index} runs already`)
    this.#servers.push(await this.#boot())
  }

  /** A worker's end may not have been noticed yet by its server. */
  async isReady(others: number): Promise<boolean> {
    return this.server.readyWorkers().every(isRunning) && (await this.server.isReady(others))
  }

  /** Of all of its processes, as when a machine loses its power. */
  async kill(): Promise<void> {
    const orphans = this.#orphans.splice(0)
    if (!this.runs) return killAll(orphans)
    const { pid } = this.server
    // Stands still first, so that it forks nobody between the look at its children and its end.
    await pauseAll([pid])
    const all = [pid, ...childrenOf(pid)]
    for (const each of all) this.#expectedExits.add(each)
    await killAll([...all, ...orphans])
  }

  /** Of its first process alone; the workers find out. */
  async killPrimary(): Promise<void> {
    const [pid = 0, ...workers] = this.#processTree()
    this.#orphans.push(...workers)
    this.#expectedExits.add(pid)
    await killAll([pid])
  }

  /** As a machine is shut down: it has time to see its clients off. Resolves when it has ended. */
  async stop(): Promise<void> {
    const pids = this.#processTree()
    for (const pid of pids) this.#expectedExits.add(pid)
    await terminate(this.server.pid)
  }

  async stallPrimary(): Promise<void> {
    this.#expectStartingWorkersToExit()
    await this.#stall(this.#processTree()[0] ?? 0)
  }

  /** All of its processes stand still; connections to it stay open. */
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
    // Its primary may end it for that it does not answer.
    this.#expectedExits.add(pid)
    this.#paused.set(index, pid)
    await pauseAll([pid])
  }

  async resumeWorker(index: number): Promise<void> {
    const pid = this.#paused.get(index)
    this.#paused.delete(index)
    if (pid !== undefined && isStopped(pid)) await resumeAll([pid])
  }

  /** A signal that is not meant for it: as systemd and terminals send it to all processes of a service. */
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
    if (!this.runs) return []
    const { pid, role } = this.server
    const workers = childrenOf(pid).map((child) => this.#process(child, 'worker'))
    return [this.#process(pid, role), ...workers]
  }

  /** Those that nobody has asked for, as lines. */
  unexpectedExits(): string[] {
    return this.#servers.flatMap((server) => {
      const workers = server.exitedWorkers().filter(({ pid }) => !this.#expectedExits.has(pid))
      const lines = workers.map(({ pid, how }) => {
        const line = `worker ${pid} of host ${this.index} died by itself`
        return how === '' ? line : `${line}: ${how}`
      })
      const ended = !isRunning(server.pid) && !this.#expectedExits.has(server.pid)
      return ended ? [...lines, `host ${this.index} (process ${server.pid}) ended by itself`] : lines
    })
  }

  /** A worker that has not been let in yet leaves when its primary does not answer, and another one follows. */
  #expectStartingWorkersToExit(): void {
    const [, ...workers] = this.#processTree()
    const ready = this.server.readyWorkers()
    for (const pid of workers) if (!ready.includes(pid)) this.#expectedExits.add(pid)
  }

  /** The last lines of what it wrote. */
  tail(): string {
    return this.#servers.at(-1)?.tail() ?? ''
  }

  #process(pid: number, role: ServerRole): ServerProcess {
    return { pid, role, host: this.index }
  }

  #processTree(): number[] {
    if (!this.runs) throw new FaultMissed(`host ${this.index} does not run`)
    return [this.server.pid, ...childrenOf(this.server.pid)]
  }

  /** A worker that has just died may not have been replaced yet. Bounded. */
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
    if (pid === undefined || !isRunning(server.pid)) throw new FaultMissed(`host ${this.index} does not run`)
    return pid
  }

  async #stall(pid: number): Promise<void> {
    signal(pid, 'SIGUSR2')
    await delay(STALL_MS)
  }
}
