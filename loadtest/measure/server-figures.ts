/**
 * What the servers used in a run, from their samples. Of these, CPU per message and per delivery suffer least
 * from a noisy machine. Pure.
 */
import type { RunResult } from '../model/result.ts'
import { growthIn, type Interval, rolesOf, sampleAfter, sampleBefore, worst } from './samples.ts'
import type { ServerSample } from './server-sampler.ts'
import { sumOf } from './sums.ts'

export type ServerFigures = NonNullable<RunResult['server']>

/** Of the fleet, in the same intervals. */
export interface Work {
  messages: number
  deliveries: number
}

export interface Connecting extends Interval {
  clients: number
}

/** @returns null without server processes */
export function serverFigures(
  samples: readonly ServerSample[],
  loads: readonly Interval[],
  work: Work,
  connecting: Connecting,
): ServerFigures | null {
  const roles = rolesOf(samples)
  if (roles.length === 0) return null
  const grown = (pick: (sample: ServerSample) => number) =>
    loads.reduce((all, load) => all + growthIn(samples, load, pick), 0)
  const cpuMsByRole = Object.fromEntries(
    roles.map((role) => [role, grown((sample) => sample.cpuMs[role] ?? 0)]),
  )
  const cpuUs = sumOf(Object.values(cpuMsByRole)) * 1_000
  const hasRedis = samples.some(({ redisBytesOut }) => redisBytesOut !== null)
  return {
    cpuMsByRole,
    cpuUsPerMessage: work.messages === 0 ? null : cpuUs / work.messages,
    cpuUsPerDelivery: work.deliveries === 0 ? null : cpuUs / work.deliveries,
    rssMaxBytes: worst(samples.map(({ rssBytes }) => sumOf(Object.values(rssBytes)))) ?? 0,
    rssPerClientBytes: rssPerClient(samples, connecting),
    eventLoopDelayP99Ms: worst(
      samples.filter(({ at }) => isWithin(at, loads)).map(({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms),
    ),
    redisBytesOut: hasRedis ? grown((sample) => sample.redisBytesOut ?? 0) : null,
  }
}

function rssPerClient(
  samples: readonly ServerSample[],
  { fromAt, toAt, clients }: Connecting,
): number | null {
  const before = sampleBefore(samples, fromAt)
  const after = sampleAfter(samples, toAt)
  if (before === undefined || after === undefined || clients === 0) return null
  return (sumOf(Object.values(after.rssBytes)) - sumOf(Object.values(before.rssBytes))) / clients
}

const isWithin = (at: number, loads: readonly Interval[]): boolean =>
  loads.some(({ fromAt, toAt }) => at > fromAt && at <= toAt)
