/**
 * Starts `rookery start` as a process of its own, on a free port of this machine and with a temporary DATA_DIR,
 * and controls it. It ends with `stop()`, and with the process of the test.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withTimeout } from '../core/with-timeout.ts'
import { type ClusterOptions, ClusterStartError } from './cluster-options.ts'
import { createDataDir } from './data-dir.ts'
import { hostEnvironment } from './host-environment.ts'
import { HostOutput, type LogLine, type ReadyWorker } from './host-output.ts'
import { reasonOf, shown } from './log-text.ts'

const HOST = fileURLToPath(new URL('./host.js', import.meta.url))
/** As long as the cluster is not ready. */
const STARTS_FAIL = new Set([
  'the application could not be started',
  'a worker could not be started',
  'worker died',
])
const KEPT_LINES = 10_000
const DEFAULT_TIMEOUT_MS = 60_000
/** What a process wrote last arrives after its end. A worker that hangs keeps the pipe open. */
const LAST_OUTPUT_MS = 2_000

/** A cluster of one host. `await using` stops it. */
export interface TestCluster extends AsyncDisposable {
  /** Where clients connect: `http://127.0.0.1:…` */
  readonly url: string
  /** Of the admin listener: `/status`, `/metrics`. */
  readonly adminUrl: string
  /** Of the primary. */
  readonly pid: number
  /** The newest 10,000 lines of the log, oldest first. The list grows. */
  readonly logs: readonly LogLine[]
  /** What was written besides the log (`console.log`), line by line. */
  readonly output: readonly string[]
  /** The workers that are ready now, oldest first. */
  workers(): ReadyWorker[]
  /**
   * Ends a worker with SIGKILL, as a crash would. Another one takes its place: see `untilReady`.
   * @param index in `workers()`; the oldest unless given
   * @returns its pid
   */
  killWorker(index?: number): number
  /** Resolves when all workers are ready. */
  untilReady(): Promise<void>
  /** Replaces the workers in order, as `rookery reload` does. Rejects when the new code does not start. */
  reload(): Promise<void>
  /** Stops in order, and deletes the data. Further calls wait for the first. @returns the exit code; null after a signal */
  stop(): Promise<number | null>
}

/**
 * Resolves when all workers are ready.
 * @throws ClusterStartError when a worker dies as it starts, or when it takes longer than `timeoutMs`
 */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  options.signal?.throwIfAborted()
  const cluster = new RunningCluster(options, await createDataDir())
  try {
    await cluster.started()
    return cluster
  } catch (error) {
    await cluster.stop()
    options.signal?.throwIfAborted()
    throw error
  }
}

class RunningCluster implements TestCluster {
  readonly #timeoutMs: number
  readonly #wanted: number
  readonly #dataDir: string
  readonly #child: ChildProcess
  readonly #output: HostOutput
  /** Emits `change` after each line, and at the end. */
  readonly #changes = new EventEmitter().setMaxListeners(0)
  /** Resolves when the primary has exited and what it wrote was read. */
  readonly #ended: Promise<number | null>
  /** Why it ended; undefined as long as it runs. */
  #end: string | undefined
  #exitCode: number | null = null
  #ready: LogLine | undefined
  #death: LogLine | undefined
  readonly #reloads = { finished: 0, running: false, error: undefined as string | undefined }
  #lastReload: Promise<void> = Promise.resolve()
  #stopped: Promise<number | null> | undefined
  readonly #forgetSignal: () => void

  constructor(options: ClusterOptions, dataDir: string) {
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#wanted = options.workers ?? 2
    this.#dataDir = dataDir
    this.#output = new HostOutput({ keptLines: KEPT_LINES, onLine: (_, line) => this.#take(line) })
    this.#child = this.#spawn(options)
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#output.read(stream)
    this.#ended = this.#untilEnded()
    const onAbort = () => void this.stop().catch(() => undefined)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#forgetSignal = () => options.signal?.removeEventListener('abort', onAbort)
    // While the directory was made.
    if (options.signal?.aborted === true) onAbort()
  }

  get url(): string {
    return `http://127.0.0.1:${Number(this.#ready?.['port'])}`
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${Number(this.#ready?.['adminPort'])}`
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get logs(): readonly LogLine[] {
    return this.#output.logs
  }

  get output(): readonly string[] {
    return this.#output.others
  }

  workers(): ReadyWorker[] {
    return this.#output.workers
  }

  killWorker(index = 0): number {
    const worker = this.workers()[index]
    if (worker === undefined) throw new Error(`there is no worker ${index}`)
    this.#output.forget(worker.name)
    process.kill(worker.pid, 'SIGKILL')
    return worker.pid
  }

  async untilReady(): Promise<void> {
    await this.#until('all workers are ready', () => this.workers().length >= this.#wanted)
  }

  reload(): Promise<void> {
    const reload = this.#lastReload.then(() => this.#reload())
    // The next one does not depend on how this one ends.
    this.#lastReload = reload.catch(() => undefined)
    return reload
  }

  stop(): Promise<number | null> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop().then(() => undefined)
  }

  /** @throws ClusterStartError */
  async started(): Promise<void> {
    try {
      await this.#until('the cluster is ready', () => {
        if (this.#death !== undefined) throw new Error(reasonOf(this.#death))
        return this.#ready !== undefined
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ClusterStartError(reason, this.#exitCode, this.#lastLines())
    }
  }

  #spawn({ app, env = {}, redisUrl, logLevel, cwd, nodeArgs = [] }: ClusterOptions): ChildProcess {
    const directory = cwd === undefined ? process.cwd() : pathOf(cwd)
    const args = app === undefined ? [] : ['--app', resolve(directory, pathOf(app))]
    return spawn(process.execPath, ['--enable-source-maps', ...nodeArgs, HOST, 'start', ...args], {
      cwd: directory,
      env: hostEnvironment({
        inherited: process.env,
        given: env,
        // Hosts of one cluster need different names.
        defaults: { HOST_NAME: basename(this.#dataDir) },
        fixed: {
          DATA_DIR: this.#dataDir,
          WORKERS: String(this.#wanted),
          LOG_LEVEL: logLevel ?? 'info',
          ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
        },
      }),
      // It sees the end of the test by the end of the channel.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
  }

  #take(line: LogLine | undefined): void {
    // The application may write any line of its own.
    if (line !== undefined && line['pid'] === this.#child.pid) this.#note(line)
    this.#changes.emit('change')
  }

  #note(line: LogLine): void {
    const { msg } = line
    if (msg === 'ready') this.#ready = line
    else if (STARTS_FAIL.has(msg) && this.#ready === undefined) this.#death ??= line
    else if (msg.startsWith('reload: ')) this.#reloads.running = true
    else if (msg === 'reload done') this.#noteReload(undefined)
    else if (msg === 'reload failed') this.#noteReload(reasonOf(line))
  }

  #noteReload(error: string | undefined): void {
    this.#reloads.finished += 1
    this.#reloads.running = false
    this.#reloads.error = error
  }

  async #reload(): Promise<void> {
    const { finished, running } = this.#reloads
    // One that is under way is followed by the one asked for now.
    const awaited = finished + (running ? 2 : 1)
    this.#child.kill('SIGHUP')
    await this.#until('the reload is over', () => this.#reloads.finished >= awaited)
    if (this.#reloads.error !== undefined) throw new Error(`the reload failed: ${this.#reloads.error}`)
  }

  /** Looks now, and after each line. Rejects when the host ends or the time is over. */
  async #until(what: string, isSo: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    while (!isSo()) {
      if (this.#end !== undefined) throw new Error(this.#end)
      if (signal.aborted) throw new Error(`not within ${this.#timeoutMs} ms: ${what}`)
      await once(this.#changes, 'change', { signal }).catch(() => undefined)
    }
  }

  async #untilEnded(): Promise<number | null> {
    const closed = new Promise<void>((done) => this.#child.once('close', () => done()))
    const { code, signal } = await new Promise<{ code: number | null; signal: string }>((done) => {
      this.#child.once('error', ({ message }) => done({ code: null, signal: message }))
      this.#child.once('exit', (exitCode, name) => done({ code: exitCode, signal: String(name) }))
    })
    await withTimeout(LAST_OUTPUT_MS, closed, () => undefined)
    this.#end = code === null ? `it ended: ${signal}` : `it ended with exit code ${code}`
    this.#exitCode = code
    this.#changes.emit('change')
    return code
  }

  async #stop(): Promise<number | null> {
    this.#forgetSignal()
    this.#child.kill('SIGTERM')
    const code = await withTimeout<number | null | 'overdue'>(this.#timeoutMs, this.#ended, () => 'overdue')
    if (code === 'overdue') this.#child.kill('SIGKILL')
    // Of a primary that was killed, workers may be left: they write there.
    for (const { pid } of this.workers()) killIfThere(pid)
    await this.#ended
    await rm(this.#dataDir, { recursive: true, force: true, maxRetries: 5 })
    return code === 'overdue' ? null : code
  }

  #lastLines(): string[] {
    return [...this.logs.map(shown), ...this.output]
  }
}

const pathOf = (given: string | URL): string =>
  given instanceof URL || given.startsWith('file:') ? fileURLToPath(given) : given

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited.
  }
}
