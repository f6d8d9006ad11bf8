/**
 * The seconds of a run, counted from its zero (all joined), from agent reports and server samples. A report
 * counts for the second that it overlaps most, so no message is counted twice or left out. Pure.
 */
import type { AgentSecond } from '../model/agent-protocol.ts'
import type { Second } from '../model/result.ts'
import { merged, percentileMs } from './histograms.ts'
import { growthIn, rolesOf, worst } from './samples.ts'
import type { ServerSample } from './server-sampler.ts'

export interface AgentReports {
  /** In order. */
  seconds: readonly AgentSecond[]
}

const SECOND_MS = 1_000

/** The second that ends at `at`. Adding 0 turns -0 into 0. */
const secondOf = (at: number, zeroAt: number): number => Math.round((at - zeroAt) / SECOND_MS) + 0

export function timelineOf(
  agents: readonly AgentReports[],
  samples: readonly ServerSample[],
  zeroAt: number,
): Second[] {
  const numbers = agents.flatMap(({ seconds }) => seconds.map(({ at }) => secondOf(at, zeroAt)))
  if (numbers.length === 0) return []
  const tracks = agents.map(({ seconds }) => new AgentTrack(seconds, zeroAt))
  const [first, last] = extremes(numbers)
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const second = first + index
    return { ...fleetIn(second, tracks), ...serversIn(second, samples, zeroAt) }
  })
}

/** Without spread arguments: a soak has too many. */
function extremes(numbers: readonly number[]): [number, number] {
  const smallest = numbers.reduce((least, number) => Math.min(least, number))
  const largest = numbers.reduce((most, number) => Math.max(most, number))
  return [smallest, largest]
}

/** One agent's reports by second; its last known connections count until its next report. */
class AgentTrack {
  readonly #bySecond = new Map<number, AgentSecond[]>()
  #connected = 0
  #joined = 0

  constructor(seconds: readonly AgentSecond[], zeroAt: number) {
    for (const report of seconds) {
      const second = secondOf(report.at, zeroAt)
      this.#bySecond.set(second, [...(this.#bySecond.get(second) ?? []), report])
    }
  }

  /** Call it in order of the seconds. */
  take(second: number): { reports: AgentSecond[]; connected: number; joined: number } {
    const reports = this.#bySecond.get(second) ?? []
    const latest = reports.at(-1)
    this.#connected = latest?.connected ?? this.#connected
    this.#joined = latest?.joined ?? this.#joined
    return { reports, connected: this.#connected, joined: this.#joined }
  }
}

type FleetPart = Omit<Second, 'cpuCores' | 'rssBytes' | 'eventLoopDelayP99Ms' | 'redisBytesOut'>

function fleetIn(second: number, tracks: readonly AgentTrack[]): FleetPart {
  const taken = tracks.map((track) => track.take(second))
  const reports = taken.flatMap((each) => each.reports)
  const sum = (pick: (report: AgentSecond) => number) =>
    reports.reduce((all, report) => all + pick(report), 0)
  const delivery = merged(reports.map((report) => report.delivery))
  return {
    atMs: second * SECOND_MS,
    due: sum(({ due }) => due),
    sent: sum(({ sent }) => sent),
    acked: sum(({ acked }) => acked),
    refused: sum(({ refused }) => Object.values(refused).reduce((all, count) => all + count, 0)),
    delivered: sum(({ delivered }) => delivered),
    disconnects: sum(({ disconnects }) => disconnects),
    connected: taken.reduce((all, { connected }) => all + connected, 0),
    joined: taken.reduce((all, { joined }) => all + joined, 0),
    deliveryP50Ms: percentileMs(delivery, 50),
    deliveryP99Ms: percentileMs(delivery, 99),
    deliveryMaxMs: percentileMs(delivery, 100),
    fleetCpuCores: sum(({ cpuMs }) => cpuMs) / SECOND_MS,
  }
}

function serversIn(
  second: number,
  samples: readonly ServerSample[],
  zeroAt: number,
): Omit<Second, keyof FleetPart> {
  const toAt = zeroAt + second * SECOND_MS
  const interval = { fromAt: toAt - SECOND_MS, toAt }
  const cores = rolesOf(samples).map((role) => {
    const cpuMs = growthIn(samples, interval, (sample) => sample.cpuMs[role] ?? 0)
    return [role, cpuMs / SECOND_MS]
  })
  const own = samples.filter(({ at }) => secondOf(at, zeroAt) === second)
  const hasRedis = samples.some(({ redisBytesOut }) => redisBytesOut !== null)
  return {
    cpuCores: Object.fromEntries(cores),
    rssBytes: { ...samples.findLast(({ at }) => at <= toAt)?.rssBytes },
    eventLoopDelayP99Ms: worst(own.map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)),
    redisBytesOut: hasRedis ? growthIn(samples, interval, (sample) => sample.redisBytesOut ?? 0) : null,
  }
}
