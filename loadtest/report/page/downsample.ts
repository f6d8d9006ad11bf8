/**
 * Reduces a timeline of hours to a bounded number of points: sums become means, percentiles keep their worst
 * value. Pure.
 */
import type { Second } from '../../model/result.ts'

/** More than the pixels of a screen. */
const MAX_POINTS = 2_400

export function downsampled(timeline: readonly Second[], most = MAX_POINTS): Second[] {
  const together = Math.ceil(timeline.length / most)
  if (together <= 1) return [...timeline]
  const points: Second[] = []
  for (let start = 0; start < timeline.length; start += together) {
    const merged = mergedOf(timeline.slice(start, start + together))
    if (merged !== undefined) points.push(merged)
  }
  return points
}

function mergedOf(group: readonly Second[]): Second | undefined {
  const last = group.at(-1)
  if (last === undefined) return undefined
  const mean = (of: (second: Second) => number): number =>
    group.reduce((total, second) => total + of(second), 0) / group.length
  const worst = (of: (second: Second) => number): number => Math.max(...group.map(of))
  const roles = (of: (second: Second) => Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.keys(of(last)).map((role) => [role, mean((second) => of(second)[role] ?? 0)]))
  const loopDelays = group.flatMap(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms ?? [])
  return {
    ...last,
    due: mean(({ due }) => due),
    sent: mean(({ sent }) => sent),
    acked: mean(({ acked }) => acked),
    refused: mean(({ refused }) => refused),
    delivered: mean(({ delivered }) => delivered),
    disconnects: mean(({ disconnects }) => disconnects),
    deliveryP50Ms: worst(({ deliveryP50Ms }) => deliveryP50Ms),
    deliveryP99Ms: worst(({ deliveryP99Ms }) => deliveryP99Ms),
    deliveryMaxMs: worst(({ deliveryMaxMs }) => deliveryMaxMs),
    cpuCores: roles(({ cpuCores }) => cpuCores),
    fleetCpuCores: mean(({ fleetCpuCores }) => fleetCpuCores),
    rssBytes: roles(({ rssBytes }) => rssBytes),
    eventLoopDelayP99Ms: loopDelays.length === 0 ? null : Math.max(...loopDelays),
  }
}
