/** A connection to Redis for a command that ends: unlike a host it does not wait for ever. */
import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import { ExitError } from '../ops/exit-codes.ts'
import { createLogger } from '../ops/logger.ts'
import type { RedisConnection } from '../redis/connection.ts'

const REDIS_CONNECT_TIMEOUT_MS = 15_000

/** @throws ExitError if Redis can't be used, or is not reached in time */
export async function redisForCommand(config: Config) {
  const { openRedis } = await import('../redis/connection.ts')
  const { RedisUnfit } = await import('../redis/server-check.ts')
  const { logSigningKeys } = await import('../redis/signing.ts')
  const connection = openRedis({ settings: config, logger: quietLogger(config), registry: new Registry() })
  try {
    await Promise.race([connection.ready, rejectAfterTimeout(connection)])
  } catch (error) {
    connection.close()
    throw error instanceof RedisUnfit ? new ExitError('redisUnfit', error.message, { cause: error }) : error
  }
  return { connection, cluster: config.clusterName, keys: logSigningKeys(config) }
}

/** A host waits for Redis forever, a command does not. */
async function rejectAfterTimeout(connection: RedisConnection): Promise<never> {
  let reason: string | null = null
  connection.onHealth((problem) => {
    reason = problem
  })
  await delay(REDIS_CONNECT_TIMEOUT_MS, undefined, { ref: false })
  throw new ExitError('unexpected', `Redis can't be reached: ${reason ?? 'the check did not end in time'}`)
}

/** Logs to standard error: standard output may be the exported file. */
export const quietLogger = (config: Config) =>
  createLogger({
    level: config.logLevel === 'info' ? 'warn' : config.logLevel,
    format: config.logFormat,
    stream: process.stderr,
  })
