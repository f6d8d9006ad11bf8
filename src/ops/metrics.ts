/**
 * The metrics of a process, and how those of all processes of a host become one text.
 * What is said of a process itself (memory, CPU, event loop, and what is named `rookery_worker_…`) keeps a label with the
 * worker's name; all else is merged by prom-client's own rules (sum, unless the metric names another aggregator).
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'
import { observeLogOutput } from './log-output.ts'

const PREFIX = 'rookery_'
const PER_PROCESS_PREFIXES = ['rookery_worker_', 'rookery_process_', 'rookery_nodejs_']

/** A registry with the metrics of the process itself (CPU, memory, event loop, its log). */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: PREFIX })
  observeLogOutput(registry)
  return registry
}

/** What prom-client's `getMetricsAsJSON` gives, as far as it is used here. It comes from other processes: checked. */
const metricJson = z.looseObject({
  name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  aggregator: z.enum(['sum', 'first', 'min', 'max', 'average', 'omit']),
  values: z.array(
    z.looseObject({
      // JSON has no NaN and no infinity: what was one of these comes as null, and is left out.
      value: z.number().nullable(),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
})
export type MetricJson = z.infer<typeof metricJson>

/** @returns nothing when `json` is not prom-client's JSON */
export function parseMetrics(json: readonly unknown[]): MetricJson[] | undefined {
  return z.array(metricJson).safeParse(json).data
}

export interface ProcessMetrics {
  /** The worker's name, or `primary`. */
  readonly process: string
  readonly metrics: readonly MetricJson[]
}

/** Prometheus' text of the whole host. */
export async function mergeMetrics(processes: readonly ProcessMetrics[]): Promise<string> {
  const parts = processes.map(({ process, metrics }) => metrics.map((metric) => prepare(metric, process)))
  return AggregatorRegistry.aggregate(parts).metrics()
}

/** What only grows, as far as it is merged over the processes. */
export function totalsOf(metrics: readonly MetricJson[]): MetricJson[] {
  return metrics.filter(({ name, type }) => type !== 'gauge' && !isPerProcess(name))
}

/** The sum of several processes' totals, as if one process had them all. */
export async function addTotals(parts: MetricJson[][]): Promise<MetricJson[]> {
  const sum = await AggregatorRegistry.aggregate(parts).getMetricsAsJSON()
  return z.array(metricJson).parse(sum)
}

function isPerProcess(name: string): boolean {
  return PER_PROCESS_PREFIXES.some((prefix) => name.startsWith(prefix))
}

function prepare(metric: MetricJson, process: string): MetricJson {
  const ownLabels = isPerProcess(metric.name) ? { worker: process } : {}
  const values = metric.values
    .filter((sample) => sample.value !== null)
    .map((sample) => ({ ...sample, labels: { ...sample.labels, ...ownLabels } }))
  return { ...metric, values }
}
