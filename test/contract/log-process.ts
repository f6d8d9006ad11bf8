/** A separate process that writes or reads a log: the programs in test/fixtures/log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export class LogProcess {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #next: AsyncIterator<string>

  /** @param wrapper a program, with its arguments, that runs the other one */
  constructor(program: 'writer' | 'reader' | 'opener', args: string[], wrapper: string[] = []) {
    const script = fileURLToPath(new URL(`../fixtures/log/${program}.js`, import.meta.url))
    const [command = process.execPath, ...rest] = [...wrapper, process.execPath, script, ...args]
    this.#child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'ignore'] })
    if (this.#child.stdout === null) throw new Error('a piped child has a stdout')
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#next = this.#lines[Symbol.asyncIterator]()
  }

  /** Rejects when the process has ended. */
  async line(): Promise<string> {
    const { value, done } = await this.#next.next()
    if (done === true) throw new Error('the process has ended')
    return value
  }

  ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`)
    return this.line()
  }

  /** @returns the remaining lines of its output */
  kill(): Promise<string[]> {
    return this.#end(() => this.#child.kill('SIGKILL'))
  }

  crash(): Promise<string[]> {
    return this.#end(() => this.#child.stdin?.write('crash\n'))
  }

  /** Lets it end by itself, which these programs do when their stdin ends. */
  finish(): Promise<string[]> {
    return this.#end(() => this.#child.stdin?.end())
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.finish()
  }

  async #end(act: () => void): Promise<string[]> {
    const ended = once(this.#child, 'exit')
    act()
    await ended
    const rest: string[] = []
    for (let next = await this.#next.next(); next.done !== true; next = await this.#next.next())
      rest.push(next.value)
    return rest
  }
}
