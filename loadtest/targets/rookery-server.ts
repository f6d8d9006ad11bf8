/** A life of this project's own server on a host of a target. */
import { z } from 'zod'
import { type RunningRookery, startRookery } from '../../test/harness/cluster/cluster.ts'
import { until } from '../../test/harness/until.ts'
import { inPackage } from '../system/package-root.ts'
import { isRunning } from '../system/processes.ts'
import type { DeadWorker, Server } from './host.ts'
import { WITH_PARENT } from './launch-prefix.ts'

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

  /** Resolves when it takes connections. Bounded. */
  static async start(options: RookeryServerOptions): Promise<RookeryServer> {
    const { workers, env, args } = options
    const rookery = await startRookery({
      main: inPackage('dist/main.js'),
      within: WITH_PARENT,
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

  deadWorkers(): readonly DeadWorker[] {
    return this.#rookery.logs
      .filter(({ msg }) => msg === 'worker died')
      .map((line) => ({ pid: Number(line['workerPid']), how: howOf(line) }))
  }

  async isWhole(others: number): Promise<boolean> {
    if (this.readyWorkers().length !== this.#options.workers || this.#isReloading()) return false
    const ready = await ask(`${this.#options.url}/readyz`)
    await ready.text()
    const status = Status.parse(await (await ask(`${this.#rookery.adminUrl}/status`)).json())
    return ready.status === 200 && status.degraded === null && status.hosts.length === others
  }

  async reload(): Promise<void> {
    const before = this.#asked()
    this.#rookery.signal('SIGHUP')
    await until(
      () => this.#asked() > before || !isRunning(this.pid),
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
    return this.#begun() > ended
  }

  #asked(): number {
    return this.#begun() + this.#rookery.countLogs('a reload is under way: another one follows it')
  }

  #begun(): number {
    return this.#rookery.countLogs('reload: replacing the workers one by one')
  }
}

const HOW = ['code', 'signal', 'reason'] as const

function howOf(line: Readonly<Record<string, unknown>>): string {
  const told = HOW.filter((name) => line[name] !== undefined && line[name] !== null)
  return told.map((name) => `${name} ${String(line[name])}`).join(', ')
}

/** Of a host that stands still. */
const ANSWER_MS = 5_000

const ask = (url: string) => fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })
