/**
 * The metrics of a process, and the merge of all processes of a host into one text. Metrics about a process
 * itself (memory, CPU, event loop, and `rookery_worker_…`) get a label with the worker's name. All others are
 * merged by prom-client's rules: summed, unless the metric names another aggregator.
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'
import { observeLogOutput } from './log-output.ts'

const PREFIX = 'rookery_'
const PER_PROCESS_PREFIXES = ['rookery_worker_', 'rookery_process_', 'rookery_nodejs_']

/** A registry with the metrics of the process itself: CPU, memory, event loop, log output. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: PREFIX })
  observeLogOutput(registry)
  return registry
}

/** The used part of prom-client's `getMetricsAsJSON`. Checked, because it comes from other processes. */
const metricJson = z.looseObject({
  name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  aggregator: z.enum(['sum', 'first', 'min', 'max', 'average', 'omit']),
  values: z.array(
    z.looseObject({
      // JSON has no NaN and no infinity: they arrive as null and are left out.
      value: z.number().nullable(),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
})
export type MetricJson = z.infer<typeof metricJson>

/** @returns nothing when `json` is not valid prom-client JSON */
export function parseMetrics(json: readonly unknown[]): MetricJson[] | undefined {
  return z.array(metricJson).safeParse(json).data
}

export interface ProcessMetrics {
  /** The worker's name, or `primary`. */
  readonly process: string
  readonly metrics: readonly MetricJson[]
}

/** Metrics of the whole host in Prometheus' text format. */
export async function mergeMetrics(processes: readonly ProcessMetrics[]): Promise<string> {
  const parts = processes.map(({ process, metrics }) => metrics.map((metric) => prepare(metric, process)))
  return AggregatorRegistry.aggregate(parts).metrics()
}

/** The metrics that only grow and are merged over the processes. */
export function totalsOf(metrics: readonly MetricJson[]): MetricJson[] {
  return metrics.filter(({ name, type }) => type !== 'gauge' && !isPerProcess(name))
}

/** The sum of the totals of several processes. */
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
