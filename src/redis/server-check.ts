/**
 * Looks at Redis before it is first used: whether it is new enough, whether the user may do what is needed, and whether its
 * settings keep what is written. Changes nothing but a key and a channel of its own.
 */

import { Cluster, type Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { RedisSettings } from './address.ts'
import type { RedisCommands } from './clients.ts'
import { tooOld } from './server-version.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Redis answers and can't be used; the message says what to do. */
export class RedisUnfit extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RedisUnfit'
  }
}

export interface CheckedConnection {
  readonly commands: RedisCommands
  readonly subscriptions: Subscriptions
  run<T>(work: (commands: RedisCommands) => Promise<T>): Promise<T>
}

/** @throws RedisUnfit, or `unavailable` when Redis went away meanwhile */
export async function checkServer(
  connection: CheckedConnection,
  settings: RedisSettings,
  logger: Logger,
): Promise<void> {
  for (const node of mastersOf(connection.commands)) {
    const problem = tooOld(await connection.run(() => node.info('server')))
    if (problem !== undefined) throw new RedisUnfit(problem)
  }
  logger.debug({ cluster: settings.clusterName }, 'Redis can be used')
}

function mastersOf(commands: RedisCommands): readonly Redis[] {
  return commands instanceof Cluster ? commands.nodes('master') : [commands]
}
