/**
 * Starts the adapter fixture (relay and workers) as one host or as two over their own Redis, runs code in the
 * workers, and connects stock clients to them. Workers are `w1`, `w2` … over all hosts; with two, the odd
 * ones are on the first.
 */

import { EventEmitter, once } from 'node:events'
import type { Registry } from 'prom-client'
import type { Server } from 'socket.io'
import type { ManagerOptions, Socket, SocketOptions } from 'socket.io-client'
import { io as connectClient } from 'socket.io-client'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { BackplaneSettings } from '../../../src/primary/backplane/settings.ts'
import type { HostsTimings } from '../../../src/primary/relay/host-relay.ts'
import type { RelayLimits } from '../../../src/primary/relay/limits.ts'
import type { AnswerLimits } from '../../../src/worker/adapter/answers.ts'
import type { LinkLimits } from '../../../src/worker/link/limits.ts'
import type { Link } from '../../../src/worker/link/link.ts'
import type { TestRedis } from '../redis/redis.ts'
import { startRedis } from '../redis/redis.ts'
import { until } from '../until.ts'
import { AdapterProcess } from './process.ts'

export interface AdapterHostSettings {
  logLevel?: string
  relayLimits?: Partial<RelayLimits>
  linkLimits?: Partial<LinkLimits>
  adapter?: { answerTimeoutMs?: number; answerLimits?: Partial<AnswerLimits> }
  server?: object
  /** With several hosts. */
  backplane?: Partial<BackplaneSettings>
  timings?: Partial<HostsTimings>
  cluster?: string
  secrets?: string[]
}

/** One host has the requested number of workers; two hosts have at least two each. */
export type Shape = 'one host' | 'two hosts'
/** Two in the project `hosts`, which tests several hosts. */
export const SHAPES: readonly Shape[] = [process.env.ADAPTER_SHAPE === 'two hosts' ? 'two hosts' : 'one host']

/**
 * The argument of a function that runs in a worker. Everything else must come through the function's own
 * argument.
 */
export interface WorkerContext {
  io: Server
  link: Link
  registry: Registry
  /** The worker's log lines, parsed. */
  logged: { level: number; msg: string }[]
  /** Values that listeners of one call record for a later call to read. */
  noted: unknown[]
  /** Kept between calls. */
  state: Record<string, unknown>
}

interface Place {
  host: AdapterProcess
  /** Its name on its host. */
  name: string
  port: number
}

export class AdapterHost {
  readonly #hosts: AdapterProcess[] = []
  readonly #settings: AdapterHostSettings
  /** The indexes of killed hosts. */
  readonly #vacant: number[] = []
  readonly #tags = new Map<AdapterProcess, string>()
  readonly #places = new Map<string, Place>()
  readonly #clients = new Set<Socket>()
  #ownRedis: TestRedis | undefined
  #started = 0

  private constructor(settings: AdapterHostSettings) {
    this.#settings = settings
  }

  /** Resolves when the workers listen and all hosts know each other: `w1`, `w2` … */
  static async start(
    workers: number,
    settings: AdapterHostSettings = {},
    shape: Shape = 'one host',
  ): Promise<AdapterHost> {
    const host = new AdapterHost(settings)
    await host.#start(workers, shape)
    return host
  }

  /**
   * One for the tests of a `describe`: starts before the first, is restored and without clients after each,
   * stops after the last.
   */
  static shared(shape: Shape, settings: AdapterHostSettings = {}): AdapterHost {
    const host = new AdapterHost(settings)
    beforeAll(() => host.#start(3, shape))
    afterEach(async () => {
      await host.disconnectClients()
      await host.restore()
    })
    afterAll(() => host.stop())
    return host
  }

  /** Hosts without workers, on a Redis that the test starts and stops. */
  static async startOn(
    redis: TestRedis,
    hosts: number,
    settings: AdapterHostSettings = {},
  ): Promise<AdapterHost> {
    const host = new AdapterHost(settings)
    await host.#startHosts(redis, hosts)
    return host
  }

  get workers(): string[] {
    return [...this.#places.keys()]
  }

  get hosts(): readonly AdapterProcess[] {
    return this.#hosts
  }

  /** The Redis of two hosts. */
  get redis(): TestRedis {
    if (this.#ownRedis === undefined) throw new Error('one host has no Redis')
    return this.#ownRedis
  }

  hostOf(worker: string): AdapterProcess {
    return this.#place(worker).host
  }

  workersOf(host: AdapterProcess): string[] {
    return this.workers.filter((worker) => this.hostOf(worker) === host)
  }

  /** The name by which `observer` knows `worker`. */
  nameFor(observer: string, worker: string): string {
    const { host, name } = this.#place(worker)
    return host === this.hostOf(observer) ? name : `${this.#tags.get(host)}:${name}`
  }

  /** @returns its name */
  async startWorker(): Promise<string> {
    const [name = ''] = await this.#startWorkers(1)
    return name
  }

  /** Restarts killed hosts and workers under their old names. Resolves when all know each other. */
  async restore(): Promise<void> {
    for (const index of this.#vacant.splice(0).toSorted((a, b) => a - b))
      this.#hosts.splice(index, 0, processOn(this.redis, index, this.#settings))
    await this.#untilHostsKnown()
    const missing = Array.from({ length: this.#started }, (_, index) => index + 1)
    await Promise.all(missing.filter((n) => !this.#places.has(`w${n}`)).map((n) => this.#startWorkerAs(n)))
    this.#sortPlaces()
    await this.#untilAcquainted()
  }

  /** Runs a function in a worker. It must not refer to anything outside itself. */
  async run<A, T>(
    worker: string,
    code: (context: WorkerContext, argument: A) => T | Promise<T>,
    ...argument: A[]
  ): Promise<T> {
    const { host, name } = this.#place(worker)
    return (await host.command('run', {
      worker: name,
      source: code.toString(),
      argument: argument[0],
    })) as T
  }

  /** SIGKILL. Resolves when its primary has seen it exit. */
  async kill(worker: string): Promise<void> {
    const { host, name } = this.#place(worker)
    this.#places.delete(worker)
    await host.killWorker(name)
  }

  /** For a worker that has exited by itself. */
  forget(worker: string): void {
    this.#places.delete(worker)
  }

  /** SIGKILL for a whole host. */
  async killHost(host: AdapterProcess): Promise<void> {
    this.#vacate(host)
    await host.kill()
  }

  /** The host stops cleanly: it announces that it leaves. */
  async stopHost(host: AdapterProcess): Promise<void> {
    this.#vacate(host)
    await host.stop()
  }

  /** SIGSTOP: the process exists, but does nothing. */
  async pause(worker: string): Promise<void> {
    const { host, name } = this.#place(worker)
    await host.command('pause', { worker: name })
  }

  async resume(worker: string): Promise<void> {
    const { host, name } = this.#place(worker)
    await host.command('resume', { worker: name })
  }

  /**
   * A counter or gauge of the primaries, summed over hosts and over the series that have all of `labels`. With the label
   * `worker`, only its own host counts.
   */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const place = labels['worker'] === undefined ? undefined : this.#place(labels['worker'])
    const wanted = place === undefined ? labels : { ...labels, worker: place.name }
    let total = 0
    for (const host of place === undefined ? this.#hosts : [place.host])
      total += await this.metricOf(host, name, wanted)
    return total
  }

  async metricOf(host: AdapterProcess, name: string, labels: Record<string, string> = {}): Promise<number> {
    return sum((await host.command('metrics')) as MetricJson[], name, labels)
  }

  /** A counter or gauge of a worker. */
  async workerMetric(worker: string, name: string): Promise<number> {
    const metrics = await this.run(worker, ({ registry }) => registry.getMetricsAsJSON())
    return sum(metrics as unknown as MetricJson[], name, {})
  }

  /** Connects a client; it has joined `rooms` when this resolves. */
  async connect(worker: string, { nsp = '/', rooms = [], data = {}, options = {} }: ClientSettings = {}) {
    const { port } = this.#place(worker)
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

  /** Stops clients, workers, primaries and their Redis. */
  async stop(): Promise<void> {
    this.#dropClients()
    await Promise.all(this.#hosts.map((host) => host.stop()))
    await this.#ownRedis?.stop()
  }

  /** Resolves when no worker has a client any more, and the primaries know it. */
  async disconnectClients(): Promise<void> {
    this.#dropClients()
    for (const worker of this.workers) await until(() => this.#isIdle(worker), `${worker} has no clients`)
  }

  async #start(workers: number, shape: Shape): Promise<void> {
    if (shape === 'one host') {
      this.#hosts.push(new AdapterProcess(this.#settings))
      await this.#startWorkers(workers)
      return
    }
    this.#ownRedis = await startRedis()
    await this.#startHosts(this.#ownRedis, 2)
    await this.#startWorkers(Math.max(4, workers))
    await this.#untilAcquainted()
  }

  async #startHosts(redis: TestRedis, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) this.#hosts.push(processOn(redis, index, this.#settings))
    await this.#untilHostsKnown()
  }

  #vacate(host: AdapterProcess): void {
    for (const worker of this.workersOf(host)) this.#places.delete(worker)
    const index = this.#hosts.indexOf(host)
    this.#hosts.splice(index, 1)
    this.#vacant.push(index)
  }

  #place(worker: string): Place {
    const place = this.#places.get(worker)
    if (place === undefined) throw new Error(`no worker ${worker}`)
    return place
  }

  /** @returns their names */
  async #startWorkers(count: number): Promise<string[]> {
    const numbers = Array.from({ length: count }, (_, index) => this.#started + index + 1)
    this.#started += count
    await Promise.all(numbers.map((n) => this.#startWorkerAs(n)))
    this.#sortPlaces()
    return numbers.map((n) => `w${n}`)
  }

  /** Workers are assigned to the hosts in turn. */
  async #startWorkerAs(n: number): Promise<void> {
    const host = this.#hosts[(n - 1) % this.#hosts.length]
    if (host === undefined) throw new Error('no host')
    const { worker, port, tag } = (await host.command('start')) as Record<string, string>
    this.#tags.set(host, tag ?? '')
    this.#places.set(`w${n}`, { host, name: worker ?? '', port: Number(port) })
  }

  #sortPlaces(): void {
    const places = [...this.#places].toSorted(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)))
    this.#places.clear()
    for (const [name, place] of places) this.#places.set(name, place)
  }

  async #untilHostsKnown(): Promise<void> {
    if (this.#hosts.length < 2) return
    for (const host of this.#hosts)
      await until(
        async () => (await this.metricOf(host, 'rookery_hosts')) === this.#hosts.length - 1,
        'the hosts know each other',
      )
  }

  /** A worker of another host learns of a new worker later than the new worker learns of it. */
  async #untilAcquainted(): Promise<void> {
    for (const worker of this.workers)
      await until(
        async () =>
          (await this.run(worker, ({ io }) => io.of('/').adapter.serverCount())) === this.#places.size,
        `${worker} counts all`,
      )
  }

  #dropClients(): void {
    for (const client of this.#clients) client.disconnect()
    this.#clients.clear()
  }

  #isIdle(worker: string): Promise<boolean> {
    return this.run(worker, async ({ io, link }) => {
      if (io.engine.clientsCount > 0) return false
      // An answer means that the primary has handled every earlier unsubscribe of this worker.
      await link.request('user.read', { userId: 'anybody', room: 'any', seq: 0 })
      return true
    })
  }
}

function processOn(redis: TestRedis, index: number, settings: AdapterHostSettings): AdapterProcess {
  return new AdapterProcess({ ...settings, redisUrl: redis.url, hostName: `host ${index + 1}` })
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

/** All events that a client has received, in order, as `[event, ...arguments]`. */
export interface Received {
  events: unknown[][]
  /** Resolves when the event has arrived, or at once if it already has. */
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
