/** Starts the adapter fixture (relay and workers), runs code in its workers, and connects stock clients to them. */

import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Registry } from 'prom-client'
import type { Server } from 'socket.io'
import type { ManagerOptions, Socket, SocketOptions } from 'socket.io-client'
import { io as connectClient } from 'socket.io-client'
import type { RelayLimits } from '../../src/primary/relay-limits.ts'
import type { Link } from '../../src/worker/link.ts'
import type { LinkLimits } from '../../src/worker/link-limits.ts'
import { until } from './until.ts'

export interface AdapterHostSettings {
  logLevel?: string
  relayLimits?: Partial<RelayLimits>
  linkLimits?: Partial<LinkLimits>
  adapter?: { answerTimeoutMs?: number }
  server?: object
}

/** What a function that runs in a worker is given. Whatever it uses besides must be in its argument. */
export interface WorkerContext {
  io: Server
  link: Link
  registry: Registry
  /** Lines of the worker's log, parsed. */
  logged: { level: number; msg: string }[]
  /** For what listeners of one call note and a later call reads. */
  noted: unknown[]
  /** For what a later call needs. */
  state: Record<string, unknown>
}

interface Reply {
  id?: number
  value?: unknown
  error?: string
  event?: 'exit'
  worker?: string
}

const FIXTURE = fileURLToPath(new URL('../fixtures/adapter/host.js', import.meta.url))

export class AdapterHost {
  readonly #process: ChildProcess
  readonly #open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #exits = new Map<string, () => void>()
  readonly #ports = new Map<string, number>()
  readonly #clients = new Set<Socket>()
  #lastId = 0

  private constructor(settings: AdapterHostSettings) {
    this.#process = fork(FIXTURE, {
      serialization: 'advanced',
      env: { ...process.env, ADAPTER_HOST: JSON.stringify(settings) },
    })
    this.#process.on('message', (reply: Reply) => this.#onReply(reply))
  }

  /** Resolves when the workers listen: `w1`, `w2` … */
  static async start(workers: number, settings: AdapterHostSettings = {}): Promise<AdapterHost> {
    const host = new AdapterHost(settings)
    for (let index = 0; index < workers; index += 1) await host.startWorker()
    return host
  }

  get workers(): string[] {
    return [...this.#ports.keys()]
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** @returns its name */
  async startWorker(): Promise<string> {
    const { worker, port } = (await this.#command('start')) as { worker: string; port: number }
    this.#ports.set(worker, port)
    return worker
  }

  /** Runs a function in a worker. It must not refer to anything outside itself. */
  async run<A, T>(
    worker: string,
    code: (context: WorkerContext, argument: A) => T | Promise<T>,
    ...argument: A[]
  ): Promise<T> {
    return (await this.#command('run', { worker, source: code.toString(), argument: argument[0] })) as T
  }

  /** SIGKILL. Resolves when the primary has seen it exit. */
  async kill(worker: string): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#exits.set(worker, resolve))
    this.#ports.delete(worker)
    await this.#command('kill', { worker })
    await exited
  }

  /** Stops its process (SIGSTOP): it lives, but does nothing. */
  async pause(worker: string): Promise<void> {
    await this.#command('pause', { worker })
  }

  async resume(worker: string): Promise<void> {
    await this.#command('resume', { worker })
  }

  /** A counter or gauge of the primary, summed over its labels, or over those that are given. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const metrics = (await this.#command('metrics')) as MetricJson[]
    return sum(metrics, name, labels)
  }

  /** A counter or gauge of a worker. */
  async workerMetric(worker: string, name: string): Promise<number> {
    const metrics = await this.run(worker, ({ registry }) => registry.getMetricsAsJSON())
    return sum(metrics as unknown as MetricJson[], name, {})
  }

  cpu(): Promise<unknown> {
    return this.#command('cpu')
  }

  /** Connects a client; it has joined `rooms` when this resolves. */
  async connect(worker: string, { nsp = '/', rooms = [], data = {}, options = {} }: ClientSettings = {}) {
    const port = this.#ports.get(worker)
    const socket = connectClient(`http://127.0.0.1:${port}${nsp}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      ...options,
      auth: { rooms, data },
    })
    this.#clients.add(socket)
    const received = record(socket)
    await received.until('joined')
    return { socket, received, id: socket.id ?? '' }
  }

  /** Ends clients, workers and primary. */
  async stop(): Promise<void> {
    this.#dropClients()
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }

  /** Resolves when no worker has a client any more, and the primary knows it. */
  async disconnectClients(): Promise<void> {
    this.#dropClients()
    for (const worker of this.workers) await until(() => this.#isIdle(worker), `${worker} has no clients`)
  }

  #dropClients(): void {
    for (const client of this.#clients) client.disconnect()
    this.#clients.clear()
  }

  #isIdle(worker: string): Promise<boolean> {
    return this.run(worker, async ({ io, link }) => {
      if (io.engine.clientsCount > 0) return false
      // What the worker has unsubscribed from before this is answered has been dealt with.
      await link.request('presence.members', { room: 'any' })
      return true
    })
  }

  #command(command: string, parameters: object = {}): Promise<unknown> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#process.send({ id, command, ...parameters })
    })
  }

  #onReply({ id, value, error, event, worker }: Reply): void {
    if (event === 'exit' && worker !== undefined) {
      this.#exits.get(worker)?.()
      return
    }
    const open = this.#open.get(id ?? 0)
    this.#open.delete(id ?? 0)
    if (error === undefined) open?.resolve(value)
    else open?.reject(new Error(error))
  }
}

export interface ClientSettings {
  nsp?: string
  rooms?: string[]
  data?: object
  options?: Partial<ManagerOptions & SocketOptions>
}

interface MetricJson {
  name: string
  values: { value: number; labels: Record<string, string> }[]
}

/** Everything that a client has been sent, in order, as `[event, ...arguments]`. */
export interface Received {
  events: unknown[][]
  /** Resolves when the event has come, now or before. */
  until: (event: string) => Promise<void>
}

function record(socket: Socket): Received {
  const events: unknown[][] = []
  const notes = new EventEmitter()
  const note = (event: unknown[]) => {
    events.push(event)
    notes.emit('note')
  }
  socket.onAny((name: string, ...args: unknown[]) => note([name, ...args]))
  socket.on('disconnect', (reason) => note(['disconnect', reason]))
  socket.on('connect_error', (error) => note(['connect_error', error.message]))
  const untilEvent = async (name: string) => {
    while (!events.some(([event]) => event === name)) await once(notes, 'note')
  }
  return { events, until: untilEvent }
}

function sum(metrics: MetricJson[], name: string, labels: Record<string, string>): number {
  const metric = metrics.find((candidate) => candidate.name === name)
  if (metric === undefined) throw new Error(`no metric ${name}`)
  const wanted = Object.entries(labels)
  return metric.values
    .filter((value) => wanted.every(([label, expected]) => value.labels[label] === expected))
    .reduce((total, { value }) => total + value, 0)
}
