/** One host of the adapter fixture: a process with a relay and its workers, controlled over IPC. */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

interface Reply {
  id?: number
  value?: unknown
  error?: string
  event?: 'exit'
  worker?: string
}

interface OpenCommand {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

const FIXTURE = fileURLToPath(new URL('../../fixtures/adapter/host.js', import.meta.url))

export class AdapterProcess {
  readonly #process: ChildProcess
  readonly #open = new Map<number, OpenCommand>()
  readonly #exits = new Map<string, () => void>()
  #lastId = 0

  constructor(settings: object) {
    this.#process = fork(FIXTURE, {
      serialization: 'advanced',
      env: { ...process.env, ADAPTER_HOST: JSON.stringify(settings) },
    })
    this.#process.on('message', (reply: Reply) => this.#onReply(reply))
    this.#process.on('exit', () => this.#gone())
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  command(command: string, parameters: object = {}): Promise<unknown> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#process.send({ id, command, ...parameters })
    })
  }

  /** SIGKILL for one of its workers. Resolves when the host has seen it exit. */
  async killWorker(worker: string): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#exits.set(worker, resolve))
    await this.command('kill', { worker })
    await exited
  }

  /** SIGKILL for the host itself; its workers exit by themselves. */
  async kill(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal)
  }

  /** Stops the workers and the host. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }

  #onReply({ id, value, error, event, worker }: Reply): void {
    if (event === 'exit' && worker !== undefined) return this.#exits.get(worker)?.()
    const open = this.#open.get(id ?? 0)
    this.#open.delete(id ?? 0)
    if (error === undefined) open?.resolve(value)
    else open?.reject(new Error(error))
    return undefined
  }

  #gone(): void {
    for (const { reject } of this.#open.values()) reject(new Error('the host is gone'))
    this.#open.clear()
  }
}
