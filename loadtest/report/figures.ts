/** The figures of a run, for tables and comparisons. Pure. */
import type { Baseline, LatencySummary, RunResult, Second } from '../model/result.ts'
import type { Unit } from './format.ts'

/** When resource counts were taken. */
export const BASELINE_TITLES: Readonly<Record<Baseline['clients'], string>> = {
  all: 'all clients in their rooms',
  none: 'no client',
}

export interface Figure {
  readonly key: string
  readonly title: string
  readonly unit: Unit
  readonly better: 'lower' | 'higher'
  /** For a `fault` the goal is 0, and a ratio says nothing. */
  readonly kind: 'measure' | 'fault'
  /** null: not measured. */
  readonly of: (result: RunResult) => number | null
}

type Percentile = 'p50Ms' | 'p90Ms' | 'p99Ms' | 'p999Ms' | 'maxMs'
type LatencyName = keyof RunResult['latency']

/** Titles, in reading order. */
export const LATENCIES: Readonly<Record<LatencyName, { title: string; meaning: string }>> = {
  delivery: { title: 'delivery', meaning: 'from when a message was due to its delivery' },
  ack: { title: 'ack', meaning: 'from when a message was due to its ack' },
  connect: { title: 'connect', meaning: 'from the start of a connection to its last join' },
  back: { title: 'back', meaning: 'from a cut or loss to joined again' },
}
export const LATENCY_NAMES = Object.keys(LATENCIES) as LatencyName[]

export const PERCENTILES: readonly { key: keyof LatencySummary; title: string }[] = [
  { key: 'p50Ms', title: 'p50' },
  { key: 'p90Ms', title: 'p90' },
  { key: 'p99Ms', title: 'p99' },
  { key: 'p999Ms', title: 'p99.9' },
  { key: 'maxMs', title: 'max' },
]

export const FIGURES: readonly Figure[] = [
  server('cpuPerMessage', 'server CPU per message', 'µs', 'cpuUsPerMessage'),
  server('cpuPerDelivery', 'server CPU per delivery', 'µs', 'cpuUsPerDelivery'),
  latency('deliveryP50', 'delivery p50', 'delivery', 'p50Ms'),
  latency('deliveryP99', 'delivery p99', 'delivery', 'p99Ms'),
  latency('deliveryMax', 'delivery max', 'delivery', 'maxMs'),
  latency('ackP99', 'ack p99', 'ack', 'p99Ms'),
  latency('connectP99', 'connect p99', 'connect', 'p99Ms'),
  latency('backP99', 'back p99', 'back', 'p99Ms'),
  { ...measure('deliveredRate', 'deliveries', 'per second'), better: 'higher', of: meanDelivered },
  { ...measure('limit', 'highest rate held', 'per second'), better: 'higher', of: highestHeld },
  server('rssPerClient', 'memory per client', 'bytes', 'rssPerClientBytes'),
  server('rssMax', 'memory, largest', 'bytes', 'rssMaxBytes'),
  server('loopDelay', 'event-loop delay p99', 'ms', 'eventLoopDelayP99Ms'),
  server('redisOut', 'bytes out of Redis', 'bytes', 'redisBytesOut'),
  fault('lost', 'lost', ({ verdict }) => verdict.lost),
  fault('doubled', 'duplicates', ({ verdict }) => verdict.doubled),
  fault('outOfOrder', 'out of order', ({ verdict }) => verdict.outOfOrder),
  fault('unsent', 'never sent', ({ verdict }) => verdict.due - verdict.sent),
  fault('unanswered', 'without an answer', ({ verdict }) => verdict.unanswered),
  fault('refused', 'refused', ({ verdict }) => verdict.refused),
]

function measure(key: string, title: string, unit: Unit): Omit<Figure, 'of'> {
  return { key, title, unit, better: 'lower', kind: 'measure' }
}

function fault(key: string, title: string, of: Figure['of']): Figure {
  return { key, title, unit: 'count', better: 'lower', kind: 'fault', of }
}

function latency(key: string, title: string, of: LatencyName, percentile: Percentile): Figure {
  return {
    ...measure(key, title, 'ms'),
    of: (result) => (result.latency[of].count === 0 ? null : result.latency[of][percentile]),
  }
}

function server(
  key: string,
  title: string,
  unit: Unit,
  property: Exclude<keyof NonNullable<RunResult['server']>, 'cpuMsByRole'>,
): Figure {
  return { ...measure(key, title, unit), of: (result) => result.server?.[property] ?? null }
}

/** @throws if there is no such figure */
export function figure(key: string): Figure {
  const found = FIGURES.find((candidate) => candidate.key === key)
  if (found === undefined) throw new Error(`no figure is called ${key}`)
  return found
}

/** From the first to the last second with a due message. */
export function loadedSeconds({ timeline }: RunResult): readonly Second[] {
  const first = timeline.findIndex(({ due }) => due > 0)
  return first === -1 ? [] : timeline.slice(first, timeline.findLastIndex(({ due }) => due > 0) + 1)
}

export function meanOf(seconds: readonly Second[], property: 'sent' | 'acked' | 'delivered'): number | null {
  if (seconds.length === 0) return null
  return seconds.reduce((sum, second) => sum + second[property], 0) / seconds.length
}

function meanDelivered(result: RunResult): number | null {
  return meanOf(loadedSeconds(result), 'delivered')
}

function highestHeld({ steps }: RunResult): number | null {
  const held = (steps ?? []).filter((step) => step.held).map(({ ratePerSec }) => ratePerSec)
  return held.length === 0 ? null : Math.max(...held)
}
