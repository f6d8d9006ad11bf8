/**
 * The metrics of a process, and how those of all processes of a host become one text.
 * Metrics named `rookery_worker_…` say something of a worker and keep a label with its name; all others are merged by
 * prom-client's own rules (sum, unless the metric names another aggregator).
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'

const PREFIX = 'rookery_'
const PER_PROCESS_PREFIX = 'rookery_worker_'

/** A registry with the metrics of the process itself (CPU, memory, event loop). */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: PREFIX })
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
type MetricJson = z.infer<typeof metricJson>

export interface ProcessMetrics {
  /** The worker's name, or `primary`. */
  readonly process: string
  readonly metrics: readonly unknown[]
}

export interface MergedMetrics {
  /** Prometheus' text of the whole host. */
  readonly text: string
  /** Processes that are left out because what they gave is not prom-client's JSON. */
  readonly malformed: readonly string[]
}

export async function mergeMetrics(processes: readonly ProcessMetrics[]): Promise<MergedMetrics> {
  const parts: MetricJson[][] = []
  const malformed: string[] = []
  for (const { process, metrics } of processes) {
    const parsed = z.array(metricJson).safeParse(metrics)
    if (parsed.success) parts.push(parsed.data.map((metric) => prepare(metric, process)))
    else malformed.push(process)
  }
  return { text: await AggregatorRegistry.aggregate(parts).metrics(), malformed }
}

function prepare(metric: MetricJson, process: string): MetricJson {
  const ownLabels = metric.name.startsWith(PER_PROCESS_PREFIX) ? { worker: process } : {}
  const values = metric.values
    .filter((sample) => sample.value !== null)
    .map((sample) => ({ ...sample, labels: { ...sample.labels, ...ownLabels } }))
  return { ...metric, values }
}
