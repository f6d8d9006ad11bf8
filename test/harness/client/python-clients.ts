/** Clients of python-socketio in a process of their own, with reconnection on (fixtures/python/reconnect.py). */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { PYTHON } from '../python.ts'

const SCRIPT = new URL('../../fixtures/python/reconnect.py', import.meta.url).pathname

export interface Welcomed {
  name: string
  host: string
  worker: string
}

export class PythonClients {
  /** In order of arrival. */
  readonly welcomes: Welcomed[] = []
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lines: unknown[] = []
  #errors = ''

  /** Starts `count` clients for each transport. */
  constructor(url: string, room: string, count: number) {
    this.#process = spawn(PYTHON, [SCRIPT, url, room, String(count)], { stdio: ['pipe', 'pipe', 'pipe'] })
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const parsed: unknown = JSON.parse(line)
      this.#lines.push(parsed)
      if (!Array.isArray(parsed)) this.welcomes.push(parsed as Welcomed)
    })
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
  }

  /** What Python wrote on stderr. */
  get errors(): string {
    return this.#errors
  }

  /** Each client sends a message. @returns whether it was accepted, by client */
  async finish(): Promise<unknown> {
    this.#process.stdin.end()
    await once(this.#process, 'close')
    if (this.#process.exitCode !== 0) throw new Error(this.#errors)
    return this.#lines.at(-1)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
