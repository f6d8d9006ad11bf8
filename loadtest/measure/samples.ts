/** Reads server samples at any time. Pure. */
import type { ServerSample } from './server-sampler.ts'

export interface Interval {
  fromAt: number
  toAt: number
}

/** A sum at a time: linear between two samples, constant before the first and after the last. */
export function sumAt(
  samples: readonly ServerSample[],
  at: number,
  pick: (sample: ServerSample) => number,
): number {
  const next = samples.findIndex((sample) => sample.at >= at)
  const after = samples[next === -1 ? samples.length - 1 : next]
  const before = samples[next - 1]
  if (after === undefined) return 0
  if (next === -1 || before === undefined) return pick(after)
  const share = (at - before.at) / (after.at - before.at)
  return pick(before) + share * (pick(after) - pick(before))
}

/** How much a sum grew. */
export function growthIn(
  samples: readonly ServerSample[],
  { fromAt, toAt }: Interval,
  pick: (sample: ServerSample) => number,
): number {
  return sumAt(samples, toAt, pick) - sumAt(samples, fromAt, pick)
}

/** All roles with samples. */
export function rolesOf(samples: readonly ServerSample[]): string[] {
  return [...new Set(samples.flatMap(({ cpuMs }) => Object.keys(cpuMs)))]
}

/** The newest that is not later; else the first. */
export function sampleBefore(samples: readonly ServerSample[], at: number): ServerSample | undefined {
  return samples.findLast((sample) => sample.at <= at) ?? samples[0]
}

/** The first that is not earlier; else the last. */
export function sampleAfter(samples: readonly ServerSample[], at: number): ServerSample | undefined {
  return samples.find((sample) => sample.at >= at) ?? samples.at(-1)
}

/** The largest known value. */
export function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}
