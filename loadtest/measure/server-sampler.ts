/** Looks at a target's server processes and their Redis once a second, as long as a run goes. It changes nothing in them. */

import type { RunningTarget } from '../model/target.ts'
import { type Clock, nowMs } from '../system/clock.ts'
import { CounterSum, type Reading } from './counter-sum.ts'
import { ProbeReader } from './probe/probe-reader.ts'
import type { ProcUnits } from './proc-parser.ts'
import { procUnits, readProcesses } from './proc-reader.ts'

/** Sums are from the sampler's first look on. */
export interface ServerSample {
  at: number
  /** CPU time by role, also of processes that have died; what one did after its last look is missing. */
  cpuMs: Readonly<Record<string, number>>
  /** Now, by role. */
  rssBytes: Readonly<Record<string, number>>
  /** The worst of all processes since the sample before; null where no probe has told anything. */
  eventLoopDelayP99Ms: number | null
  /** null where there is no Redis. What it sent in the last second of a life is missing. */
  redisBytesOut: number | null
}

type Sampled = Pick<RunningTarget, 'processes' | 'probeDirectory' | 'redis'>

const EVERY_MS = 1_000
/** A day; what is beyond is not kept. */
const MOST_SAMPLES = 86_400

export class ServerSampler {
  readonly #target: Sampled
  readonly #units: ProcUnits
  readonly #clock: Clock
  readonly #cpu = new CounterSum()
  readonly #redisOut = new CounterSum()
  readonly #probes: ProbeReader | undefined
  readonly #samples: ServerSample[] = []
  #looking: Promise<void> | undefined
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
    sampler.#timer = setInterval(() => sampler.#lookAgain(), EVERY_MS)
    return sampler
  }

  get samples(): readonly ServerSample[] {
    return this.#samples
  }

  /** One more, now. */
  async sample(): Promise<void> {
    await this.#looking
    await this.#begin()
  }

  /** After one last sample. @throws what a look has failed with */
  async stop(): Promise<readonly ServerSample[]> {
    clearInterval(this.#timer)
    await this.sample()
    if (this.#failure !== undefined) throw this.#failure
    return this.#samples
  }

  #lookAgain(): void {
    this.#begin().catch((error: unknown) => {
      this.#failure ??= error
    })
  }

  /** One at a time: a look that takes longer than its second puts off the next. */
  #begin(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const at = this.#clock()
    const { cpu, rssBytes } = readProcesses(this.#target.processes(), this.#units)
    const [redis, probes] = await Promise.all([this.#target.redis(), this.#probes?.take() ?? []])
    const delays = probes.map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)
    if (this.#samples.length === MOST_SAMPLES) return
    const sent: Reading[] =
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
