/** A balancer from Debian with a configuration that the project ships, on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnvironment } from '../command.ts'
import { until } from '../until.ts'
import { type BalancerFile, type Program, programs, withHosts } from './balancer-programs.ts'
import { freePort } from './free-port.ts'
import { exchange } from './raw-http.ts'

const DEPLOY = new URL('../../../deploy/', import.meta.url)
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
    const place = { directory, port, file: join(directory, file) }
    await writeFile(place.file, edit(withHosts(shipped, place, hosts)))
    const program: Program = programs[file]
    const child = spawn(program.command, program.args(place), {
      env: { ...plainEnvironment(), ...program.env?.(place) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const balancer = new RealBalancer(child, port, directory)
    try {
      await until(
        () => balancer.#answers(),
        `${program.command} serves`,
        () => balancer.#output,
      )
    } catch (error) {
      await balancer.stop()
      throw error
    }
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
