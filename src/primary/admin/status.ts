/** Metrics and status of this host for the admin listener, collected from the workers on request. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { collectAnswers } from '../../ops/collect.ts'
import { hostMetrics } from '../../ops/host-metrics.ts'
import type { Relay } from '../relay/index.ts'
import type { Supervisor } from '../supervisor/index.ts'

const STATUS_DEADLINE_MS = 2_000

export interface Observed {
  relay: Relay
  supervisor: Supervisor
  registry: Registry
  logger: Logger
}

/** @returns a function that collects the Prometheus text of the whole host */
export function createMetricsView({ relay, registry, logger }: Observed): () => Promise<string> {
  const workers = () =>
    new Map(relay.workers().map((name) => [name, () => relay.request(name, 'worker.metrics', null)] as const))
  return hostMetrics({ registry, logger, workers })
}

/** The workers of this host. For a worker that does not answer in time: only what the supervisor knows. */
export async function workerStatus({ relay, supervisor }: Observed) {
  const questions = new Map(
    relay.workers().map((name) => [name, () => relay.request(name, 'worker.status', null)] as const),
  )
  const { answered } = await collectAnswers(questions, STATUS_DEADLINE_MS)
  return supervisor.list().map((worker) => ({ ...worker, ...answered.get(worker.name) }))
}
