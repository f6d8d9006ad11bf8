/** A running instance of this project's server on a host of a target. */
import { z } from 'zod'
import { type RunningRookery, startRookery } from '../../test/harness/cluster/cluster.ts'
import { until } from '../../test/harness/until.ts'
import { inPackage } from '../system/package-root.ts'
import { isRunning } from '../system/processes.ts'
import type { ExitedWorker, Server } from './host.ts'
import { EXIT_WITH_PARENT } from './launch-prefix.ts'

export interface RookeryServerOptions {
  url: string
  workers: number
  env: Readonly<Record<string, string>>
  args: readonly string[]
}

const Status = z.object({ degraded: z.string().nullable(), hosts: z.array(z.unknown()) })

export class RookeryServer implements Server {
  readonly role = 'primary'
  readonly #rookery: RunningRookery
  readonly #options: RookeryServerOptions

  private constructor(rookery: RunningRookery, options: RookeryServerOptions) {
    this.#rookery = rookery
    this.#options = options
  }

  /** Resolves when it accepts connections. Has a time-out. */
  static async start(options: RookeryServerOptions): Promise<RookeryServer> {
    const { workers, env, args } = options
    const rookery = await startRookery({
      main: inPackage('dist/main.js'),
      within: EXIT_WITH_PARENT,
      args: [...args],
      env: { WORKERS: String(workers), ...env },
    })
    return new RookeryServer(rookery, options)
  }

  get pid(): number {
    return this.#rookery.pid
  }

  readyWorkers(): readonly number[] {
    return this.#rookery.workerPids()
  }

  exitedWorkers(): readonly ExitedWorker[] {
    return this.#rookery.logs
      .filter(({ msg }) => msg === 'worker died')
      .map((line) => ({ pid: Number(line['workerPid']), how: exitDetails(line) }))
  }

  async isReady(others: number): Promise<boolean> {
    if (this.readyWorkers().length !== this.#options.workers || this.#isReloading()) return false
    const ready = await ask(`${this.#options.url}/readyz`)
    await ready.text()
    const status = Status.parse(await (await ask(`${this.#rookery.adminUrl}/status`)).json())
    return ready.status === 200 && status.degraded === null && status.hosts.length === others
  }

  async reload(): Promise<void> {
    const before = this.#reloadsRequested()
    this.#rookery.signal('SIGHUP')
    await until(
      () => this.#reloadsRequested() > before || !isRunning(this.pid),
      'the reload begins',
      () => this.tail(),
    )
  }

  async reloaded(): Promise<void> {
    await until(
      () => !this.#isReloading() || !isRunning(this.pid),
      'the reload ends',
      () => this.tail(),
    )
  }

  tail(): string {
    return this.#rookery.tail()
  }

  #isReloading(): boolean {
    const ended = this.#rookery.countLogs('reload done') + this.#rookery.countLogs('reload failed')
    return this.#reloadsStarted() > ended
  }

  #reloadsRequested(): number {
    return this.#reloadsStarted() + this.#rookery.countLogs('a reload is running: another one follows')
  }

  #reloadsStarted(): number {
    return this.#rookery.countLogs('reload: replacing the workers one by one')
  }
}

const EXIT_DETAILS = ['code', 'signal', 'reason'] as const

function exitDetails(line: Readonly<Record<string, unknown>>): string {
  const known = EXIT_DETAILS.filter((name) => line[name] !== undefined && line[name] !== null)
  return known.map((name) => `${name} ${String(line[name])}`).join(', ')
}

/** Time-out for a stopped host. */
const ANSWER_MS = 5_000

const ask = (url: string) => fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })
