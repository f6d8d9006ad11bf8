/** Why a node of a Redis Cluster can't be connected to: ioredis says only that the connection is closed. */
import { Cluster } from 'ioredis'
import type { RedisCommands } from './clients.ts'

/**
 * Connects to the node once more, as ioredis does. Never rejects.
 * @returns undefined if the node is not one of the cluster's, or can be connected to now
 */
export async function nodeError(commands: RedisCommands, key: string): Promise<Error | undefined> {
  if (!(commands instanceof Cluster)) return undefined
  const node = commands.nodes('all').find(({ options: { host = '', port = 0 } }) => `${host}:${port}` === key)
  if (node === undefined) return undefined
  const attempt = node.duplicate({ lazyConnect: true, retryStrategy: null })
  let first: Error | undefined
  attempt.on('error', (error: Error) => (first ??= error))
  try {
    await attempt.connect()
  } catch (error) {
    first ??= error instanceof Error ? error : undefined
  } finally {
    attempt.disconnect()
  }
  return first
}
