/**
 * Starts the built product as a user would, in its own processes. `stop()` or `kill()` ends it; no process
 * outlives the test that called `startRookery`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HostOutput, type LogLine } from '../../../src/testing/host-output.ts'
import { until } from '../until.ts'
import { duplicateKeys } from './log-keys.ts'

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** Settings for tests that rate limits must not affect. */
export const UNLIMITED_RATES = {
  MESSAGE_RATE: '100000',
  MESSAGE_BURST: '100000',
  REQUEST_RATE: '100000',
  REQUEST_BURST: '100000',
}

export interface StartOptions {
  /** Settings by environment name; `PORT`, `ADMIN_PORT` and `DATA_DIR` default to free ones. */
  env?: Record<string, string>
  /** Flags after `start`. */
  args?: string[]
  /** Another copy of the product. */
  main?: string
  /** Flags of Node.js itself. */
  nodeArgs?: string[]
  /** Another Node.js binary. */
  node?: string
  /**
   * Prefix of the command: `['ip', 'netns', 'exec', 'name']`. It must become the program, not be its parent.
   */
  within?: readonly string[]
  cwd?: string
  /** Does not wait until it is ready. */
  untilReady?: boolean
}

export type { LogLine }

export class RunningRookery {
  readonly process: ChildProcess
  readonly dataDir: string
  readonly #ownsDataDir: boolean
  readonly #output = new HostOutput({ keptLines: Number.POSITIVE_INFINITY, onLine: refuseDuplicateKeys })
  readonly #exited: Promise<{ code: number | null; signal: string | null }>
  /** Every process that writes to the same output, so its workers too, has exited. */
  readonly #allExited: Promise<unknown>

  constructor(process: ChildProcess, dataDir: string, ownsDataDir: boolean) {
    this.process = process
    this.dataDir = dataDir
    this.#ownsDataDir = ownsDataDir
    this.#exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => resolve({ code, signal }))
    })
    this.#allExited = new Promise((resolve) => process.once('close', resolve))
    for (const stream of [process.stdout, process.stderr]) this.#output.read(stream)
  }

  get logs(): LogLine[] {
    return this.#output.logs
  }

  /** Lines on stderr, and lines that are not of the log. */
  get otherOutput(): string[] {
    return this.#output.others
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  get port(): number {
    return Number(this.log('ready')?.port)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${Number(this.log('ready')?.adminPort)}`
  }

  /** Process ids of the workers that are ready now, oldest first. */
  workerPids(): number[] {
    return this.#output.workers.map(({ pid }) => pid)
  }

  workerNames(): string[] {
    return this.#output.workers.map(({ name }) => name)
  }

  /** The first line of the log with this message. */
  log(msg: string): LogLine | undefined {
    return this.logs.find((line) => line.msg === msg)
  }

  countLogs(msg: string): number {
    return this.logs.filter((line) => line.msg === msg).length
  }

  async untilLog(msg: string, count = 1): Promise<void> {
    await until(
      () => this.countLogs(msg) >= count,
      `the log says '${msg}' ${count} times`,
      () => this.tail(),
    )
  }

  /** SIGKILL to the worker at `index`, oldest first. */
  killWorker(index: number): number {
    const pid = this.workerPids()[index]
    if (pid === undefined) throw new Error(`there is no worker ${index}`)
    process.kill(pid, 'SIGKILL')
    return pid
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  exited(): Promise<{ code: number | null; signal: string | null }> {
    return this.#exited
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null) this.process.kill('SIGTERM')
    const { code } = await this.#exited
    await this.#cleanUp()
    return code
  }

  /** SIGKILL to the primary. The data directory stays, unless the harness created it. */
  async kill(options: { keepData?: boolean } = {}): Promise<void> {
    if (this.process.exitCode === null) this.process.kill('SIGKILL')
    await this.#exited
    if (options.keepData !== true) await this.#cleanUp()
  }

  tail(): string {
    const lines = this.logs.slice(-30).map((line) => JSON.stringify(line))
    return [...lines, ...this.otherOutput.slice(-30)].join('\n')
  }

  async #cleanUp(): Promise<void> {
    if (!this.#ownsDataDir) return
    // Workers of a primary that was killed may still write there. One that the test has stopped does not end by itself.
    for (const pid of this.workerPids()) endWorker(pid)
    await this.#allExited
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

/** Not caught: it fails the run, whichever test is running. */
function refuseDuplicateKeys(line: string, parsed: LogLine | undefined): void {
  const [twice] = parsed === undefined ? [] : duplicateKeys(line)
  if (twice !== undefined) throw new Error(`a line of the log has '${twice}' twice: ${line}`)
}

function endWorker(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited.
  }
}

export async function startRookery(options: StartOptions = {}): Promise<RunningRookery> {
  const ownDir =
    options.env?.DATA_DIR === undefined ? await mkdtemp(join(tmpdir(), 'rookery-test-')) : undefined
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    PORT: '0',
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    WORKERS: '2',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
    // Long, because the machine may be busy with many hosts.
    WORKER_BOOT_TIMEOUT_MS: '90000',
    DATA_DIR: ownDir ?? '',
    ...options.env,
  }
  const nodeArgs = ['--enable-source-maps', ...(options.nodeArgs ?? [])]
  const node = options.node ?? process.execPath
  const product = [node, ...nodeArgs, options.main ?? MAIN, 'start', ...(options.args ?? [])]
  const [file = node, ...args] = [...(options.within ?? []), ...product]
  const child = spawn(file, args, {
    env,
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const rookery = new RunningRookery(child, env.DATA_DIR ?? '', ownDir !== undefined)
  if (options.untilReady === false) return rookery
  try {
    await until(
      () => rookery.log('ready') !== undefined || child.exitCode !== null,
      'the host is ready',
      () => rookery.tail(),
    )
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${rookery.tail()}`)
  } catch (error) {
    await rookery.kill()
    throw error
  }
  return rookery
}
