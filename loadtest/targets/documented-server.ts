/** A running process of one of the server files in servers/, and its standard output. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { plainEnvironment } from '../../test/harness/command.ts'
import { until } from '../../test/harness/until.ts'
import type { ServerRole } from '../model/server-process.ts'
import { inPackage } from '../system/package-root.ts'
import type { ExitedWorker, Server } from './host.ts'
import { EXIT_WITH_PARENT } from './launch-prefix.ts'
import { RecentLines } from './recent-lines.ts'

export interface DocumentedServerOptions {
  /** In servers/. */
  file: string
  address: string
  port: number
  /** 0: a single process without workers. */
  workers: number
  env: Readonly<Record<string, string>>
}

export class DocumentedServer implements Server {
  readonly #child: ChildProcess
  readonly #options: DocumentedServerOptions
  readonly #ready = new Set<number>()
  readonly #exited: ExitedWorker[] = []
  readonly #recent = new RecentLines()
  #listens = false

  private constructor(options: DocumentedServerOptions) {
    const { file, address, port, workers, env } = options
    this.#options = options
    const [program, ...before] = EXIT_WITH_PARENT
    this.#child = spawn(
      program,
      [...before, process.execPath, inPackage(`loadtest/targets/servers/${file}`)],
      {
        env: { ...plainEnvironment(), PORT: String(port), HOST: address, WORKERS: String(workers), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line))
  }

  /** Resolves when it accepts connections with all of its workers. Has a time-out. */
  static async start(options: DocumentedServerOptions): Promise<DocumentedServer> {
    const server = new DocumentedServer(options)
    await once(server.#child, 'spawn')
    try {
      await until(
        () => server.#isUp() || server.#child.exitCode !== null,
        `${options.file} is ready`,
        () => server.tail(),
      )
      if (server.#child.exitCode !== null) throw new Error(`${options.file} ended:\n${server.tail()}`)
    } catch (error) {
      server.#child.kill('SIGKILL')
      throw error
    }
    return server
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get role(): ServerRole {
    return this.#options.workers === 0 ? 'worker' : 'primary'
  }

  readyWorkers(): readonly number[] {
    return [...this.#ready]
  }

  exitedWorkers(): readonly ExitedWorker[] {
    return this.#exited
  }

  async isReady(): Promise<boolean> {
    return this.#isUp() && (await acceptsConnections(this.#options.address, this.#options.port))
  }

  tail(): string {
    return this.#recent.toString()
  }

  #isUp(): boolean {
    return this.#listens && this.#ready.size === this.#options.workers
  }

  #take(line: string): void {
    this.#recent.add(line)
    const [, pid, what] = /^(?:Primary|Worker) (\d+) (is running|started|died)$/.exec(line) ?? []
    if (what === 'is running') this.#listens = true
    if (what === 'started') this.#ready.add(Number(pid))
    if (what !== 'died') return
    this.#ready.delete(Number(pid))
    this.#exited.push({ pid: Number(pid), how: '' })
  }
}

/** Whether a server listens there. */
export function acceptsConnections(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1_000 })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}
