/** nginx and HAProxy from Debian, with the configurations that the project ships, on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'
import { freePort } from './free-port.ts'
import { exchange } from './raw-http.ts'

const DEPLOY = new URL('../../../deploy/', import.meta.url)
/** Debian's package starts no instance here, and no two instances may share files. */
const flags = {
  nginx: (directory: string, file: string) => {
    const overall = `daemon off; pid ${join(directory, 'pid')};`
    return ['-p', directory, '-e', 'stderr', '-c', file, '-g', overall]
  },
  haproxy: (_: string, file: string) => ['-db', '-f', file],
}

export type BalancerFile = 'nginx.conf' | 'nginx-sticky.conf' | 'haproxy.cfg' | 'haproxy-sticky.cfg'

export class RealBalancer {
  readonly port: number
  readonly #process: ChildProcess
  readonly #directory: string
  #output = ''

  private constructor(process: ChildProcess, port: number, directory: string) {
    this.#process = process
    this.port = port
    this.#directory = directory
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', (chunk) => (this.#output += chunk))
    }
  }

  /**
   * @param hosts ports on 127.0.0.1, or addresses with their ports, in place of `rookery-1:3000`, `rookery-2:3000` …
   * @param edit changes the configuration further
   */
  static async start(
    file: BalancerFile,
    hosts: readonly (number | string)[],
    edit: (text: string) => string = (text) => text,
  ): Promise<RealBalancer> {
    const directory = await mkdtemp(join(tmpdir(), 'rookery-balancer-'))
    const port = await freePort()
    const shipped = await readFile(new URL(file, DEPLOY), 'utf8')
    const path = join(directory, file)
    await writeFile(path, edit(withHosts(shipped, port, hosts)))
    const program = file.startsWith('nginx') ? 'nginx' : 'haproxy'
    const child = spawn(program, flags[program](directory, path), { stdio: ['ignore', 'pipe', 'pipe'] })
    const balancer = new RealBalancer(child, port, directory)
    await until(
      () => balancer.#answers(),
      `${program} serves`,
      () => balancer.#output,
    )
    return balancer
  }

  /** Its output. */
  get output(): string {
    return this.#output
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit')
      this.#process.kill('SIGTERM')
      await exited
    }
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`it ended:\n${this.#output}`)
    const answer = await exchange(
      this.port,
      'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    ).catch(() => undefined)
    return answer?.status === 200
  }
}

/** Removes the hosts that the test does not have. */
function withHosts(text: string, port: number, hosts: readonly (number | string)[]): string {
  return text
    .replace(/^(\s*listen) 80\b/m, `$1 127.0.0.1:${port}`)
    .replace(/^(\s*bind) :80\b/m, `$1 127.0.0.1:${port}`)
    .split('\n')
    .flatMap((line) => {
      const number = /\brookery-([0-9]):3000/.exec(line)?.[1]
      if (number === undefined) return [line]
      const host = hosts[Number(number) - 1]
      if (host === undefined) return []
      const address = typeof host === 'number' ? `127.0.0.1:${host}` : host
      return [line.replace(/\brookery-[0-9]:3000/, address)]
    })
    .join('\n')
}
