/** A fleet of the load-test suite with a test's server, and the reports of its processes. */
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Fleet, FleetOptions } from '../../../loadtest/fleet/fleet.ts'
import { openFleet } from '../../../loadtest/fleet/open-fleet.ts'
import { addressClients } from '../../../loadtest/load/addresses.ts'
import type { AgentSecond } from '../../../loadtest/model/agent-protocol.ts'
import type { ClientPlan, Load, WantedClient } from '../../../loadtest/model/plan.ts'
import { nowMs } from '../../../loadtest/system/clock.ts'
import { until } from '../until.ts'

type Counter = 'due' | 'sent' | 'acked' | 'unanswered' | 'delivered' | 'disconnects'
type Latency = 'delivery' | 'ack' | 'connect' | 'back'

export interface FleetAsked extends Partial<FleetOptions> {
  url: string
  /** The number of rooms. Client n is in room n modulo `rooms`. */
  count: number
  rooms: number
  wanted?: Partial<WantedClient>
}

export class FleetUnderTest {
  readonly seconds: AgentSecond[] = []
  readonly plans: ClientPlan[]
  #fleet: Fleet | undefined
  readonly #asked: FleetAsked

  constructor(asked: FleetAsked) {
    this.#asked = asked
    this.plans = addressClients(
      Array.from({ length: asked.count }, (_, index) => ({
        index,
        host: 0,
        transport: 'websocket',
        rooms: [`room-${index % asked.rooms}`],
        connectAtMs: index,
        reads: 'all',
        sends: true,
        ...asked.wanted,
      })),
      [[asked.url]],
    )
  }

  get fleet(): Fleet {
    if (this.#fleet === undefined) throw new Error('the fleet is not open')
    return this.#fleet
  }

  /** All clients have joined. */
  async open(): Promise<void> {
    this.#fleet = await openFleet({
      agents: 3,
      seed: 7,
      run: 'test0',
      dialect: 'bench',
      kind: 'raw',
      clients: this.plans,
      recordLimit: 1_000_000,
      onSecond: (_, second) => this.seconds.push(second),
      ...this.#asked,
    })
    this.#fleet.connect(nowMs())
    const joined = await this.#fleet.untilJoined(60_000)
    if (joined !== this.plans.length) throw new Error(`${joined} of ${this.plans.length} have joined`)
  }

  /** @returns when it begins */
  load(load: Partial<Load>): number {
    const at = nowMs() + 100
    this.fleet.load(
      { durationMs: 1_000, ratePerSec: 100, arrivals: 'even', rampMs: 0, textLength: 64, ...load },
      at,
    )
    return at
  }

  sum(counter: Counter): number {
    return this.seconds.reduce((sum, second) => sum + second[counter], 0)
  }

  refused(): Record<string, number> {
    return summed(this.seconds.map(({ refused }) => refused))
  }

  has(counter: Counter, count: number): Promise<void> {
    return until(
      () => this.sum(counter) >= count,
      `${count} ${counter}`,
      () => JSON.stringify(this.seconds.slice(-6)),
    )
  }

  latency(name: Latency): Histogram {
    const [first, ...others] = this.seconds.map((second) => decodeFromCompressedBase64(second[name]))
    if (first === undefined) throw new Error('nothing was reported')
    for (const other of others) first.add(other)
    return first
  }

  async close(): Promise<void> {
    await this.#fleet?.close()
  }
}

function summed(counts: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const each of counts)
    for (const [code, count] of Object.entries(each)) sums[code] = (sums[code] ?? 0) + count
  return sums
}
