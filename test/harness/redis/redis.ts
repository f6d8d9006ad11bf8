/**
 * A real redis-server for one test, with a free port and its own directory. A test can kill it, pause it, and restart it on the
 * same port with the data that it had saved.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandResult, run } from '../command.ts'
import { freePort } from '../network/free-port.ts'
import { until } from '../until.ts'
import type { TestCertificates } from './tls.ts'

export interface RedisOptions {
  /** `always`: every write is on disk before it is answered. Otherwise nothing is kept over a restart. */
  appendonly?: 'always' | 'everysec'
  /** Lines of redis.conf by name. */
  config?: Record<string, string>
  /** Lines of `user …`, without that word: `app on >password ~* &* +@all`. */
  acl?: readonly string[]
  /** The port then accepts TLS only. */
  tls?: TestCertificates
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string
  port?: number
  /** Runs it as a Sentinel. */
  sentinel?: boolean
  /** Another server with the same protocol, and its libraries. */
  store?: { readonly server: string; readonly libraries: string }
  env?: Record<string, string>
  /** Prefix of the command: `['ip', 'netns', 'exec', 'name']`. */
  within?: readonly string[]
}

export class TestRedis {
  readonly host: string
  readonly port: number
  readonly directory: string
  readonly socketPath: string
  readonly #options: RedisOptions
  #child: ChildProcess | undefined
  #output = ''

  constructor(options: RedisOptions, port: number, directory: string) {
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.port = port
    this.directory = directory
    this.socketPath = join(directory, 'redis.sock')
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'redis' : 'rediss'}://${this.host}:${this.port}`
  }

  /** Its log. */
  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    const child = this.#child
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null)
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('this Redis does not run')
    return pid
  }

  /** @returns the standard output of redis-cli, without the last line feed */
  async cli(...args: string[]): Promise<string> {
    const result = await this.cliResult(...args)
    if (result.code !== 0) throw new Error(`redis-cli ${args.join(' ')}: ${result.stdout}${result.stderr}`)
    return result.stdout.trimEnd()
  }

  /** Uses the Unix socket, so that it needs neither certificates nor the port. As the default user. */
  cliResult(...args: string[]): Promise<CommandResult> {
    return run('redis-cli', ['-s', this.socketPath, ...args])
  }

  async start(): Promise<void> {
    const command = [
      ...(this.#options.within ?? []),
      // It exits with the test's process, however that exits.
      'setpriv',
      '--pdeathsig',
      'KILL',
      '--',
      this.#options.store?.server ?? 'redis-server',
      ...(await this.#arguments()),
    ]
    const [file = '', ...args] = command
    const env = {
      ...process.env,
      LD_LIBRARY_PATH: this.#options.store?.libraries,
      ...this.#options.env,
    }
    const child = spawn(file, args, { cwd: this.directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#output = ''
    const keep = (chunk: Buffer) => (this.#output += chunk.toString())
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    await until(
      async () => {
        if (child.exitCode !== null) throw new StartFailed(this.#output)
        const { stdout } = await this.cliResult('ping')
        return /^(PONG|NOAUTH)/.test(stdout)
      },
      'redis-server answers',
      () => this.#output,
    )
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || this.hasEnded) return
    const gone = once(child, 'exit')
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }

  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Kills it and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** The present content of the file `name` in its directory. */
  read(name: string): Promise<string> {
    return readFile(join(this.directory, name), 'utf8')
  }

  async #arguments(): Promise<string[]> {
    const { appendonly, config = {}, acl = [], tls, sentinel } = this.#options
    const lines: [string, string][] = [
      ['bind', this.host],
      ['port', tls === undefined ? String(this.port) : '0'],
      ['unixsocket', this.socketPath],
      ['dir', this.directory],
      ['save', ''],
      ['appendonly', appendonly === undefined ? 'no' : 'yes'],
      ['appendfsync', appendonly ?? 'everysec'],
      ['enable-debug-command', 'yes'],
      // It has no password, and other hosts must reach it when it listens on an address of a test's network.
      ['protected-mode', 'no'],
      ...(tls === undefined ? [] : tlsLines(tls, this.port)),
      ...Object.entries(config),
      ...acl.map((user): [string, string] => ['user', user]),
    ]
    if (sentinel !== true) return lines.flatMap(([name, value]) => lineOf(name, value))
    return [
      'sentinel.conf',
      '--sentinel',
      '--port',
      String(this.port),
      '--bind',
      this.host,
      '--unixsocket',
      this.socketPath,
      '--protected-mode',
      'no',
    ]
  }
}

class StartFailed extends Error {}

const PORT_TRIES = 5

export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  for (let tries = 1; ; tries += 1) {
    const directory = await mkdtemp(join(tmpdir(), 'rookery-redis-'))
    const redis = new TestRedis(options, options.port ?? (await freePort()), directory)
    try {
      await redis.start()
      return redis
    } catch (error) {
      await redis.stop()
      // Another process may have taken the port meanwhile.
      const retry = error instanceof StartFailed && options.port === undefined && tries < PORT_TRIES
      if (!retry) throw error
    }
  }
}

/** A directive such as `user default on …` has many words, each its own argument. */
function lineOf(name: string, value: string): string[] {
  return [`--${name}`, ...(value === '' ? [''] : value.split(' '))]
}

function tlsLines(tls: TestCertificates, port: number): [string, string][] {
  return [
    ['tls-port', String(port)],
    ['tls-cert-file', tls.certificateFile],
    ['tls-key-file', tls.keyFile],
    ['tls-ca-cert-file', tls.caFile],
    ['tls-auth-clients', tls.askClients ? 'yes' : 'no'],
    ['tls-replication', 'yes'],
  ]
}
