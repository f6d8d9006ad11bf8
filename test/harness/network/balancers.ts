/** A balancer from Debian with a configuration that the project ships, on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainEnvironment } from '../command.ts'
import { until } from '../until.ts'
import { type BalancerFile, type Place, type Program, programs, withHosts } from './balancer-programs.ts'
import { freePort } from './free-port.ts'
import { exchange } from './raw-http.ts'

const DEPLOY = new URL('../../../deploy/', import.meta.url)
export class RealBalancer {
  readonly port: number
  readonly #program: Program
  readonly #place: Place
  /** The last one serves new connections; those before it end with theirs. */
  readonly #processes: ChildProcess[] = []
  #output = ''

  private constructor(program: Program, place: Place) {
    this.#program = program
    this.#place = place
    this.port = place.port
    this.#run(program.args(place))
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
    const balancer = new RealBalancer(program, place)
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

  /** Reloads a changed configuration, as the program's own tools do. */
  async reload(edit: (text: string) => string): Promise<void> {
    const { file } = this.#place
    await writeFile(file, edit(await readFile(file, 'utf8')))
    const process = this.#processes.at(-1)
    const successor = this.#program.successor?.(this.#place, process?.pid ?? 0)
    if (successor === undefined) process?.kill('SIGHUP')
    else this.#run(successor)
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue
      const exited = once(process, 'exit')
      process.kill('SIGTERM')
      await exited
    }
    await rm(this.#place.directory, { recursive: true, force: true })
  }

  #run(args: readonly string[]): void {
    const process = spawn(this.#program.command, args, {
      env: { ...plainEnvironment(), ...this.#program.env?.(this.#place) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#processes.push(process)
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('data', (chunk) => (this.#output += chunk))
    }
  }

  async #answers(): Promise<boolean> {
    if (this.#processes.at(-1)?.exitCode !== null) throw new Error(`it ended:\n${this.#output}`)
    const answer = await exchange(
      this.port,
      'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    ).catch(() => undefined)
    return answer?.status === 200
  }
}
