/** The charts of a run as data: lines over one time axis, and marks on it. Pure. */
import type { RunResult, Second } from '../../model/result.ts'
import { downsampled } from './downsample.ts'

export interface Line {
  label: string
  /** null: no value at that time. */
  values: (number | null)[]
  /** Drawn dashed: for reference, not one of the others. */
  dashed?: boolean
}

export interface Chart {
  key: string
  title: string
  /** Unit of the axis. */
  unit: string
  /** Such an axis can't show 0. */
  logarithmic: boolean
  lines: Line[]
}

export interface RunCharts {
  /** Seconds from the run's zero. */
  at: number[]
  charts: Chart[]
  marks: { at: number; label: string }[]
}

const KIB = 1_024
const MIB = KIB ** 2

export function chartsOf(result: RunResult): RunCharts {
  const seconds = downsampled(result.timeline)
  const charts = [
    latencyChart(seconds),
    rateChart(seconds),
    clientChart(seconds),
    cpuChart(seconds),
    memoryChart(seconds),
    loopChart(seconds),
    redisChart(seconds),
  ]
  return {
    at: seconds.map(({ atMs }) => atMs / 1_000),
    charts: charts.filter(({ lines }) => lines.some(({ values }) => values.some((value) => value !== null))),
    marks: result.marks.map(({ atMs, label }) => ({ at: atMs / 1_000, label })),
  }
}

function line(seconds: readonly Second[], label: string, of: (second: Second) => number | null): Line {
  return { label, values: seconds.map((second) => rounded(of(second))) }
}

/** Six digits are more than a screen can show, and a third of the bytes. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6))
}

/** No latency without deliveries. */
function whereDelivered(of: (second: Second) => number): (second: Second) => number | null {
  return (second) => (second.delivered > 0 && of(second) > 0 ? of(second) : null)
}

function latencyChart(seconds: readonly Second[]): Chart {
  return {
    key: 'latency',
    title: 'Delivery latency',
    unit: 'ms',
    logarithmic: true,
    lines: [
      line(
        seconds,
        'p50',
        whereDelivered(({ deliveryP50Ms }) => deliveryP50Ms),
      ),
      line(
        seconds,
        'p99',
        whereDelivered(({ deliveryP99Ms }) => deliveryP99Ms),
      ),
      line(
        seconds,
        'max',
        whereDelivered(({ deliveryMaxMs }) => deliveryMaxMs),
      ),
    ],
  }
}

function rateChart(seconds: readonly Second[]): Chart {
  return {
    key: 'rates',
    title: 'Messages',
    unit: 'per second',
    logarithmic: false,
    lines: [
      line(seconds, 'deliveries', ({ delivered }) => delivered),
      line(seconds, 'acks', ({ acked }) => acked),
      line(seconds, 'refusals', ({ refused }) => refused),
      { ...line(seconds, 'due', ({ due }) => due), dashed: true },
    ],
  }
}

function clientChart(seconds: readonly Second[]): Chart {
  return {
    key: 'clients',
    title: 'Clients',
    unit: 'clients',
    logarithmic: false,
    lines: [
      line(seconds, 'connected', ({ connected }) => connected),
      line(seconds, 'joined', ({ joined }) => joined),
      line(seconds, 'disconnects', ({ disconnects }) => disconnects),
    ],
  }
}

function byRole(
  seconds: readonly Second[],
  of: (second: Second) => Readonly<Record<string, number>>,
  scale: number,
): Line[] {
  const roles = new Set(seconds.flatMap((second) => Object.keys(of(second))))
  return [...roles].map((role) =>
    line(seconds, role, (second) => {
      const value = of(second)[role]
      return value === undefined ? null : value / scale
    }),
  )
}

function cpuChart(seconds: readonly Second[]): Chart {
  const fleet = { ...line(seconds, 'load generator', ({ fleetCpuCores }) => fleetCpuCores), dashed: true }
  const lines = [...byRole(seconds, ({ cpuCores }) => cpuCores, 1), fleet]
  return { key: 'cpu', title: 'CPU', unit: 'cores', logarithmic: false, lines }
}

function memoryChart(seconds: readonly Second[]): Chart {
  const lines = byRole(seconds, ({ rssBytes }) => rssBytes, MIB)
  return { key: 'memory', title: 'Resident memory', unit: 'MiB', logarithmic: false, lines }
}

function loopChart(seconds: readonly Second[]): Chart {
  const lines = [line(seconds, 'worst p99 of the servers', ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms)]
  return { key: 'loop', title: 'Event-loop delay', unit: 'ms', logarithmic: false, lines }
}

function redisKib({ redisBytesOut }: Second): number | null {
  return redisBytesOut === null ? null : redisBytesOut / KIB
}

function redisChart(seconds: readonly Second[]): Chart {
  return {
    key: 'redis',
    title: 'Out of Redis',
    unit: 'KiB per second',
    logarithmic: false,
    lines: [line(seconds, 'bytes out', redisKib)],
  }
}
