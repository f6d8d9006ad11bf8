/** Starts the hand-off fixture (the front door with real workers) on any Node binary, and controls it. */
import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ForwardLimits } from '../../../src/primary/forward/forwarding.ts'
import type { FrontDoorLimits } from '../../../src/primary/front-door/front-door.ts'
import type { CorsPolicy } from '../../../src/wire/control.ts'

export interface HandOffSettings {
  workers: number
  limits?: Partial<FrontDoorLimits>
  /** How long workers keep idle connections; unset: they keep none. */
  keepAliveMs?: number
  /** Starts a new worker for each that exited, ready after `restartDelayMs`. */
  restart?: boolean
  restartDelayMs?: number
  stopReadingBeforeTransfer?: boolean
  proxyProtocolFrom?: string[]
  /** For the front door and the workers. */
  cors?: CorsPolicy
  /** With other hosts. */
  forward?: { secrets: string[]; limits?: Partial<ForwardLimits> }
}

export interface HandOffReport {
  /** Warnings and errors since the last report. */
  logged: { msg: string; [key: string]: unknown }[]
  counts: Record<string, number>
  metrics: {
    name: string
    values: { value: number; labels: Record<string, string>; metricName?: string }[]
  }[]
  rss: number
  peakRss: number
  cpuUs: number
  tcpHandles: number
  descriptors: number
}

interface HostMessage {
  id?: number
  result?: unknown
  event?: string
  name?: string
  pid?: number
  port?: number
  forwardPort?: number
  hostTag?: string
}

const FIXTURE = fileURLToPath(new URL('../../fixtures/hand-off/primary.js', import.meta.url))

export class HandOffHost {
  readonly #process: ChildProcess
  readonly #events = new EventEmitter()
  readonly #answers = new Map<number, (result: unknown) => void>()
  readonly ready = new Map<string, number>()
  readonly ended: string[] = []
  port = 0
  /** The port for other hosts. */
  forwardPort = 0
  tag = ''
  #commands = 0

  private constructor(settings: HandOffSettings, execPath: string) {
    this.#process = fork(FIXTURE, {
      execPath,
      execArgv: ['--expose-gc'],
      env: { ...process.env, HAND_OFF: JSON.stringify(settings) },
    })
    this.#process.on('message', (message: HostMessage) => this.#onMessage(message))
    this.#process.once('exit', () => this.#events.emit('event'))
  }

  /** Resolves when the port is open and all workers are ready. */
  static async start(settings: HandOffSettings, execPath = process.execPath): Promise<HandOffHost> {
    const host = new HandOffHost(settings, execPath)
    await host.until(() => host.port > 0 && host.ready.size >= settings.workers)
    return host
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /**
   * Resolves when `condition` holds; it is checked at every event of the host. Rejects when the host exits
   * before that.
   */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (!this.isAlive) throw new Error(`the host has ended: ${this.#process.exitCode}`)
      await once(this.#events, 'event')
    }
  }

  report(): Promise<HandOffReport> {
    return this.#command('report') as Promise<HandOffReport>
  }

  async resetPeak(): Promise<number> {
    return (await this.#command('resetPeak')) as number
  }

  async tell(name: string, message: object): Promise<void> {
    await this.#command('tell', { name, message })
  }

  async kill(name: string): Promise<void> {
    await this.#command('kill', { name })
  }

  async drain(name: string): Promise<void> {
    await this.#command('drain', { name })
  }

  async fork(bootDelayMs = 0): Promise<void> {
    await this.#command('fork', { bootDelayMs })
  }

  /** Gives it the address of another host. */
  async knows(tag: string, address: string): Promise<void> {
    await this.#command('knows', { tag, address })
  }

  async hostGone(tag: string): Promise<void> {
    await this.#command('hostGone', { tag })
  }

  /** Closes its port and the connections through it. */
  async moveForwarded(spreadMs: number): Promise<void> {
    await this.#command('moveForwarded', { spreadMs })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  async stop(): Promise<void> {
    if (!this.isAlive) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }

  #command(command: string, parameters: object = {}): Promise<unknown> {
    this.#commands += 1
    const id = this.#commands
    return new Promise((resolve, reject) => {
      this.#answers.set(id, resolve)
      this.#process.send({ id, command, ...parameters }, (error) => {
        if (error !== null) reject(error)
      })
    })
  }

  #onMessage(message: HostMessage): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message.result)
      this.#answers.delete(message.id)
      return
    }
    const name = message.name ?? ''
    if (message.event === 'listening') {
      this.port = message.port ?? 0
      this.forwardPort = message.forwardPort ?? 0
      this.tag = message.hostTag ?? ''
    }
    if (message.event === 'ready') this.ready.set(name, message.pid ?? 0)
    if (message.event === 'exit') {
      this.ready.delete(name)
      this.ended.push(name)
    }
    this.#events.emit('event')
  }
}

/** The sum of a metric over the series that have all of `labels`. */
export function metricSum(report: HandOffReport, name: string, labels: Record<string, string> = {}): number {
  const metric = report.metrics.find((candidate) => candidate.name === name)
  if (metric === undefined) throw new Error(`no metric ${name}`)
  return metric.values
    .filter((value) => Object.entries(labels).every(([key, wanted]) => value.labels[key] === wanted))
    .reduce((sum, value) => sum + value.value, 0)
}
