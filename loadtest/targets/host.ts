/**
 * One host of a target, on an address and a port that it keeps: begins, dies, stands still and comes back, whatever server runs on
 * it. Knows which ends of processes were meant.
 */
import { until } from '../../test/harness/until.ts'
import type { ServerProcess, ServerRole } from '../target.ts'
import { childrenOf, isRunning, killAll, pauseAll, resumeAll } from './processes.ts'

/** One life of a host's server program. */
export interface Server {
  readonly pid: number
  /** What its first process does: serve clients itself, or have workers for it. */
  readonly role: ServerRole
  /** Process ids, oldest first. */
  readyWorkers(): readonly number[]
  /** Those of which it has said that they died. */
  deadWorkers(): readonly number[]
  /** It takes connections with all of its workers, and knows `others` hosts. */
  isWhole(others: number): Promise<boolean>
  /** Replaces its workers one by one; resolves when it has begun to. */
  reload?(): Promise<void>
  tail(): string
}

export class Host {
  readonly index: number
  readonly url: string
  readonly #boot: () => Promise<Server>
  readonly #lives: Server[] = []
  readonly #meant = new Set<number>()
  readonly #paused = new Map<number, number>()

  /** @param boot resolves when the server takes connections */
  constructor(index: number, url: string, boot: () => Promise<Server>) {
    this.index = index
    this.url = url
    this.#boot = boot
  }

  get server(): Server {
    const server = this.#lives.at(-1)
    if (server === undefined) throw new Error(`host ${this.index} was never started`)
    return server
  }

  get runs(): boolean {
    return this.#lives.length > 0 && isRunning(this.server.pid)
  }

  async start(): Promise<void> {
    if (this.runs) throw new Error(`host ${this.index} runs already`)
    this.#lives.push(await this.#boot())
  }

  /** A worker's end may not have been noticed yet by its server. */
  async isWhole(others: number): Promise<boolean> {
    return this.server.readyWorkers().every(isRunning) && (await this.server.isWhole(others))
  }

  /** Of all of its processes, as when a machine loses its power. */
  async kill(): Promise<void> {
    if (!this.runs) return
    const { pid } = this.server
    // Stands still first, so that it forks nobody between the look at its children and its end.
    await pauseAll([pid])
    const all = [pid, ...childrenOf(pid)]
    for (const each of all) this.#meant.add(each)
    await killAll(all)
  }

  /** All of its processes stand still; connections to it stay open. */
  pause(): Promise<void> {
    return pauseAll(this.#family())
  }

  resume(): Promise<void> {
    return resumeAll(this.#family())
  }

  async killWorker(index: number): Promise<void> {
    const pid = await this.#workerAt(index)
    this.#meant.add(pid)
    await killAll([pid])
  }

  async pauseWorker(index: number): Promise<void> {
    const pid = await this.#workerAt(index)
    // Its primary may end it for that it does not answer.
    this.#meant.add(pid)
    this.#paused.set(index, pid)
    await pauseAll([pid])
  }

  async resumeWorker(index: number): Promise<void> {
    const pid = this.#paused.get(index)
    this.#paused.delete(index)
    if (pid !== undefined && childrenOf(this.server.pid).includes(pid)) await resumeAll([pid])
  }

  async reload(): Promise<void> {
    await this.server.reload?.()
  }

  processes(): ServerProcess[] {
    if (!this.runs) return []
    const { pid, role } = this.server
    const workers = childrenOf(pid).map((child) => this.#process(child, 'worker'))
    return [this.#process(pid, role), ...workers]
  }

  /** Those that nobody has asked for, as lines. */
  deaths(): string[] {
    return this.#lives.flatMap((server) => {
      const workers = server.deadWorkers().filter((pid) => !this.#meant.has(pid))
      const lines = workers.map((pid) => `worker ${pid} of host ${this.index} died by itself`)
      const ended = !isRunning(server.pid) && !this.#meant.has(server.pid)
      return ended ? [...lines, `host ${this.index} (process ${server.pid}) ended by itself`] : lines
    })
  }

  /** The last lines of what it wrote. */
  tail(): string {
    return this.#lives.at(-1)?.tail() ?? ''
  }

  #process(pid: number, role: ServerRole): ServerProcess {
    return { pid, role, host: this.index }
  }

  #family(): number[] {
    if (!this.runs) throw new Error(`host ${this.index} does not run`)
    return [this.server.pid, ...childrenOf(this.server.pid)]
  }

  /** A worker that has just died may not have been replaced yet. Bounded. */
  async #workerAt(index: number): Promise<number> {
    let pid: number | undefined
    await until(
      () => {
        pid = this.server.readyWorkers()[index]
        return pid !== undefined && isRunning(pid)
      },
      `host ${this.index} has a worker ${index}`,
      () => this.server.tail(),
    )
    return pid ?? 0
  }
}
