/** A connection to Redis as a host opens it, with its log and metrics. */
import { Registry } from 'prom-client'
import { loadConfig } from '../../../src/config/load.ts'
import { createLogger } from '../../../src/ops/logger.ts'
import { openRedis, type RedisConnection } from '../../../src/redis/connection.ts'
import { until } from '../until.ts'

export interface RedisHost {
  connection: RedisConnection
  registry: Registry
  /** Its log lines, parsed. */
  lines: { level: string; msg: string; [field: string]: unknown }[]
  /** Why commands or subscriptions do not work now; null while they do, empty before the first report. */
  health: { commands: string | null; subscriptions: string | null }
  /** The sum of a metric over its labels, or the value for one of them. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  untilWell(): Promise<void>
}

/** @param env settings, as the environment gives them */
export function redisHost(env: Record<string, string>): RedisHost {
  const lines: RedisHost['lines'] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as RedisHost['lines'][number]) }
  const logger = createLogger({ level: 'debug', format: 'json', stream })
  const registry = new Registry()
  const { config } = loadConfig({ env: { HOST_NAME: 'host-a', ...env } })
  const connection = openRedis({ settings: config, logger, registry })
  const health: RedisHost['health'] = { commands: '', subscriptions: '' }
  connection.onHealth((reason) => (health.commands = reason))
  connection.subscriptions.onHealth((reason) => (health.subscriptions = reason))
  return {
    connection,
    registry,
    lines,
    health,
    metric: async (name, labels = {}) => {
      const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {}
      const fits = values.filter((value) =>
        Object.entries(labels).every(
          ([key, wanted]) => (value.labels as Record<string, unknown>)[key] === wanted,
        ),
      )
      return fits.reduce((sum, { value }) => sum + value, 0)
    },
    untilWell: () =>
      until(
        () => health.commands === null && health.subscriptions === null,
        'Redis is healthy',
        () => JSON.stringify([health, lines.slice(-5)]),
      ),
  }
}
