/** Logs on one Redis, each of its own host, as the tests open and close them. */
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openRedisLog, type RedisLog, type RedisLogOptions } from '../../src/log/redis/redis-log.ts'
import type { LogEntry } from '../../src/wire/entry.ts'
import { type RedisHost, redisHost } from '../harness/redis/host-connection.ts'

/** What a host has received of its log, in order: sequence numbers of entries, and resets as `reset <head>`. */
export type Received = (number | string)[]

export interface LogHost {
  host: RedisHost
  log: RedisLog
  registry: Registry
  received: Received
  entries: LogEntry[]
  metric: (name: string) => Promise<number>
}

export class RedisLogs {
  readonly #url: string
  readonly #open: LogHost[] = []

  constructor(url: string) {
    this.#url = url
  }

  /** A host with its own connection and a log on it. */
  async host(options: Partial<RedisLogOptions> = {}, env: Record<string, string> = {}): Promise<LogHost> {
    const host = redisHost({ REDIS_URL: this.#url, ...env })
    await host.untilWell()
    const opened = logOn(host, options)
    this.#open.push(opened)
    return opened
  }

  async dispose(): Promise<void> {
    for (const { log, host } of this.#open.splice(0)) {
      await log.close()
      host.connection.close()
    }
  }
}

export function logOn(host: RedisHost, options: Partial<RedisLogOptions> = {}): LogHost {
  const registry = new Registry()
  const log = openRedisLog({
    connection: host.connection,
    cluster: 'test',
    retention: { messages: 1_000, days: 365 },
    logger: pino({ level: 'silent' }),
    registry,
    ...options,
  })
  const received: Received = []
  const entries: LogEntry[] = []
  log.onEntry((entry) => {
    received.push(entry.seq)
    entries.push(entry)
  })
  log.onReset(({ head }) => received.push(`reset ${head}`))
  const metric = async (name: string) => {
    const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {}
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  return { host, log, registry, received, entries, metric }
}
