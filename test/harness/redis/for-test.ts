/** Redis and a host's connection to it for one test. Both are closed when the test has finished. */
import { onTestFinished } from 'vitest'
import { type RedisHost, redisHost } from './host-connection.ts'
import { type RedisOptions, startRedis, type TestRedis } from './redis.ts'

export async function startTestRedis(options?: RedisOptions): Promise<TestRedis> {
  const redis = await startRedis(options)
  onTestFinished(() => redis.stop())
  return redis
}

/** @param env settings, as the environment gives them */
export function openTestConnection(env: Record<string, string>): RedisHost {
  const host = redisHost(env)
  onTestFinished(() => host.connection.close())
  return host
}

/** Like `openTestConnection`; resolves when Redis has answered. */
export async function readyTestConnection(env: Record<string, string>): Promise<RedisHost> {
  const host = openTestConnection(env)
  await host.connection.ready
  return host
}
