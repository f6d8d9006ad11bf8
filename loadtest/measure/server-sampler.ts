/**
 * Samples a target's server processes and their Redis once a second during a run. Changes nothing in them.
 */

import type { RunningTarget } from '../model/target.ts'
import { type Clock, nowMs } from '../system/clock.ts'
import { CounterSum, type CounterValue } from './counter-sum.ts'
import { ProbeReader } from './probe/probe-reader.ts'
import type { ProcUnits } from './proc-parser.ts'
import { procUnits, readProcesses } from './proc-reader.ts'

/** Sums start at the first sample. */
export interface ServerSample {
  at: number
  /** CPU time by role, exited processes included; what they used after their last sample is missing. */
  cpuMs: Readonly<Record<string, number>>
  /** Current value by role. */
  rssBytes: Readonly<Record<string, number>>
  /** Worst of all processes since the last sample; null without probe data. */
  eventLoopDelayP99Ms: number | null
  /** null without Redis. What it sent in its last second before an exit is missing. */
  redisBytesOut: number | null
}

type Sampled = Pick<RunningTarget, 'processes' | 'probeDirectory' | 'redis'>

const EVERY_MS = 1_000
/** A day; later samples are dropped. */
const MAX_SAMPLES = 86_400

export class ServerSampler {
  readonly #target: Sampled
  readonly #units: ProcUnits
  readonly #clock: Clock
  readonly #cpu = new CounterSum()
  readonly #redisOut = new CounterSum()
  readonly #probes: ProbeReader | undefined
  readonly #samples: ServerSample[] = []
  #pending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: unknown

  private constructor(target: Sampled, units: ProcUnits, clock: Clock) {
    this.#target = target
    this.#units = units
    this.#clock = clock
    this.#probes = target.probeDirectory === undefined ? undefined : new ProbeReader(target.probeDirectory)
  }

  /** Resolves after the first sample. */
  static async start(target: Sampled, clock: Clock = nowMs): Promise<ServerSampler> {
    const sampler = new ServerSampler(target, await procUnits(), clock)
    await sampler.sample()
    sampler.#timer = setInterval(() => sampler.#sampleAgain(), EVERY_MS)
    return sampler
  }

  get samples(): readonly ServerSample[] {
    return this.#samples
  }

  /** Takes a sample now. */
  async sample(): Promise<void> {
    await this.#pending
    await this.#begin()
  }

  /** Takes a last sample. @throws what a sample failed with */
  async stop(): Promise<readonly ServerSample[]> {
    clearInterval(this.#timer)
    await this.sample()
    if (this.#failure !== undefined) throw this.#failure
    return this.#samples
  }

  #sampleAgain(): void {
    this.#begin().catch((error: unknown) => {
      this.#failure ??= error
    })
  }

  /** One at a time: a slow sample delays the next. */
  #begin(): Promise<void> {
    this.#pending ??= this.#take().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #take(): Promise<void> {
    const at = this.#clock()
    const { cpu, rssBytes } = readProcesses(this.#target.processes(), this.#units)
    const [redis, probes] = await Promise.all([this.#target.redis(), this.#probes?.take() ?? []])
    const delays = probes.map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)
    if (this.#samples.length === MAX_SAMPLES) return
    const sent: CounterValue[] =
      redis === undefined ? [] : [{ key: 'redis', group: 'redis', value: redis.bytesOut }]
    this.#samples.push({
      at,
      cpuMs: this.#cpu.take(cpu),
      rssBytes,
      eventLoopDelayP99Ms: delays.length === 0 ? null : Math.max(...delays),
      redisBytesOut: this.#redisOut.take(sent)['redis'] ?? null,
    })
  }
}
