/** A fleet of forked processes: distributes the clients, forwards commands, and collects reports. */
import { setTimeout as delay } from 'node:timers/promises'
import { abortableDelay } from '../../src/core/delay.ts'
import { distribute } from '../load/distribute.ts'
import type { EventTimes } from '../load/event-times.ts'
import { below, randomOf } from '../load/random.ts'
import { sumOf } from '../measure/sums.ts'
import {
  AGENT_PROTOCOL,
  type AgentCommand,
  type AgentRecords,
  type AgentReport,
} from '../model/agent-protocol.ts'
import type { DeliveryRecords } from '../model/delivery-records.ts'
import type { ClientPlan, Load } from '../model/plan.ts'
import { nowMs } from '../system/clock.ts'
import { AgentProcess } from './agent-process.ts'
import { Barrier } from './barrier.ts'
import type { Fleet, FleetOptions, Settled } from './fleet.ts'

const READY_MS = 60_000
/** Reports come every second; a process without one for this long counts as dead. */
const SILENT_SECONDS = 60
const STATE_INTERVAL_MS = 100
/** Longer than a short stall: an application without a log can't tell that something is still outstanding. */
const QUIET_MS = 2_000

type State = Extract<AgentReport, { type: 'state' }>

export class ForkedFleet implements Fleet {
  readonly failed: Promise<never>
  readonly perAgent: readonly number[]
  readonly #options: FleetOptions
  readonly #agents: readonly AgentProcess[]
  /** Clients by process. */
  readonly #clientsByAgent: readonly (readonly ClientPlan[])[]
  /** Process by client. */
  readonly #agentOfClient: ReadonlyMap<number, number>
  readonly #senders: readonly number[]
  readonly #joined: number[]
  readonly #silentSeconds: number[]
  readonly #livenessTimer: NodeJS.Timeout
  readonly #closed = new AbortController()
  readonly #killAll = () => {
    for (const agent of this.#agents) agent.kill()
  }
  #fail: (error: Error) => void = () => undefined
  #loads = 0
  #ready: Barrier<void>
  #states: Barrier<State>
  #records: { parts: AgentRecords[]; whole: Barrier<void> } | undefined
  /** Called after each report. */
  #onReport: () => void = () => undefined

  constructor(options: FleetOptions) {
    this.#options = options
    const { clients } = options
    if (clients.some(({ index }, place) => index !== place))
      throw new Error("a client's index is not its position")
    const count = Math.max(1, Math.min(options.agents, clients.length))
    this.#clientsByAgent = distribute(clients, count)
    this.perAgent = this.#clientsByAgent.map(({ length }) => length)
    this.#agentOfClient = new Map(
      this.#clientsByAgent.flatMap((own, agent) => own.map(({ index }) => [index, agent] as const)),
    )
    this.#senders = clients.filter(({ sends }) => sends).map(({ index }) => index)
    this.#joined = this.#clientsByAgent.map(() => 0)
    this.#silentSeconds = this.#clientsByAgent.map(() => 0)
    this.#ready = new Barrier(count)
    this.#states = new Barrier(count)
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Whoever waits gets the rejection through its own race.
    this.failed.catch(() => undefined)
    this.#agents = this.#clientsByAgent.map((_, number) => this.#start(number))
    process.once('exit', this.#killAll)
    this.#livenessTimer = setInterval(() => this.#checkLiveness(), 1_000).unref()
  }

  get pids(): readonly number[] {
    return this.#agents.map(({ pid }) => pid)
  }

  async ready(): Promise<void> {
    const { seed, run, dialect, kind, recordLimit } = this.#options
    const senders = [...this.#senders]
    for (const agent of this.#agents) {
      const clients = [...(this.#clientsByAgent[agent.number] ?? [])]
      const begin = { seed, run, dialect, kind, recordLimit, clients, senders, agent: agent.number }
      agent.send({ type: 'begin', protocol: AGENT_PROTOCOL, ...begin })
    }
    const isReady = await this.#arrivesWithin(this.#ready.all, READY_MS)
    if (!isReady) throw new Error(`not every client process was ready after ${READY_MS} ms`)
  }

  connect(at: number): void {
    this.#sendAll({ type: 'connect', at })
  }

  async untilJoined(deadlineMs: number): Promise<number> {
    const { clients } = this.#options
    const all = new Promise<void>((resolve) => {
      this.#onReport = () => {
        if (sumOf(this.#joined) === clients.length) resolve()
      }
    })
    this.#onReport()
    await this.#arrivesWithin(all, deadlineMs)
    return sumOf(this.#joined)
  }

  load(load: Load, at: number): void {
    if (this.#senders.length === 0) throw new Error('there is a load, but no client that sends')
    this.#loads += 1
    this.#sendAll({
      type: 'load',
      at,
      load,
      seed: below(2 ** 31, randomOf(this.#options.seed, 'load', this.#loads)),
    })
  }

  cut(times: EventTimes, offlineMs: number): void {
    for (const [agent, own] of this.#perAgent(times)) agent.send({ type: 'cut', ...own, offlineMs })
  }

  leave(times: EventTimes): void {
    for (const [agent, own] of this.#perAgent(times)) agent.send({ type: 'leave', ...own })
  }

  slow(at: number): void {
    this.#sendAll({ type: 'slow', at })
  }

  trackRecovery(at: number): void {
    this.#sendAll({ type: 'trackRecovery', at })
  }

  async settle(deadlineMs: number, quietMs = QUIET_MS): Promise<Settled> {
    const deadlineAt = nowMs() + deadlineMs
    for (;;) {
      const states = await this.#askStates()
      const outstanding = sumOf(states.map((state) => state.outstanding))
      const joined = sumOf(states.map((state) => state.joined))
      const quietForMs = nowMs() - Math.max(0, ...states.map(({ lastDeliveryAt }) => lastDeliveryAt))
      const settled = outstanding === 0 && quietForMs >= quietMs
      if (settled || nowMs() >= deadlineAt) return { settled, outstanding, joined }
      await abortableDelay(STATE_INTERVAL_MS, this.#closed.signal)
    }
  }

  async records(): Promise<DeliveryRecords> {
    const parts: AgentRecords[] = []
    const whole = new Barrier<void>(this.#agents.length)
    this.#records = { parts, whole }
    this.#sendAll({ type: 'records' })
    await this.#orFailed(whole.all)
    clearInterval(this.#livenessTimer)
    return { parts }
  }

  async close(): Promise<void> {
    this.#closed.abort()
    clearInterval(this.#livenessTimer)
    await Promise.all(this.#agents.map((agent) => agent.end()))
    process.off('exit', this.#killAll)
  }

  #start(number: number): AgentProcess {
    const resetSilence = () => {
      this.#silentSeconds[number] = 0
    }
    return new AgentProcess(number, {
      ready: () => this.#ready.arrive(number),
      second: (second) => {
        resetSilence()
        this.#joined[number] = second.joined
        this.#options.onSecond(number, second)
        this.#onReport()
      },
      state: (state) => this.#states.arrive(number, state),
      records: (part) => {
        resetSilence()
        this.#records?.parts.push(part)
        if (!part.more) this.#records?.whole.arrive(number)
      },
      failed: (reason) => this.#fail(new Error(reason)),
    })
  }

  #askStates(): Promise<State[]> {
    this.#states = new Barrier(this.#agents.length)
    this.#sendAll({ type: 'settle' })
    return this.#orFailed(this.#states.all)
  }

  /** Counts ticks of this process, so a stall of this process does not fail the others. */
  #checkLiveness(): void {
    for (const { number, pid } of this.#agents) {
      const silent = (this.#silentSeconds[number] ?? 0) + 1
      this.#silentSeconds[number] = silent
      if (silent > SILENT_SECONDS)
        this.#fail(new Error(`client process ${number} (${pid}): has not reported for ${silent} seconds`))
    }
  }

  #sendAll(command: AgentCommand): void {
    for (const agent of this.#agents) agent.send(command)
  }

  *#perAgent({ clients, at }: EventTimes): Generator<[AgentProcess, { clients: number[]; at: number[] }]> {
    for (const agent of this.#agents) {
      const places = [...clients.keys()].filter(
        (place) => this.#agentOfClient.get(clients[place] ?? -1) === agent.number,
      )
      const own = {
        clients: places.map((place) => clients[place] ?? 0),
        at: places.map((place) => at[place] ?? 0),
      }
      if (places.length > 0) yield [agent, own]
    }
  }

  #orFailed<T>(wait: Promise<T>): Promise<T> {
    return Promise.race([wait, this.failed])
  }

  /** @returns whether it resolved before the deadline */
  async #arrivesWithin(wait: Promise<unknown>, deadlineMs: number): Promise<boolean> {
    const deadline = new AbortController()
    const signal = AbortSignal.any([deadline.signal, this.#closed.signal])
    const arrived = wait.then(() => true)
    const late = delay(deadlineMs, false, { signal }).catch(() => false)
    return this.#orFailed(Promise.race([arrived, late])).finally(() => deadline.abort())
  }
}
