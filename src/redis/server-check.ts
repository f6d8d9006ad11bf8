/**
 * Checks Redis before its first use: version, permissions of the user, and settings that endanger the data.
 * Changes only keys and a channel of its own.
 */

import { Cluster, type Redis } from 'ioredis'
import type { Logger } from 'pino'
import { RookeryError } from '../wire/errors.ts'
import type { RedisSettings } from './address.ts'
import type { CheckedConnection } from './checked-connection.ts'
import type { RedisCommands } from './clients.ts'
import { isReply } from './script.ts'
import { aclRules, missingPermissions } from './server-permissions.ts'
import { isClusterNode, partOfCluster, tooOld, wrongKind } from './server-version.ts'
import { LOOKED_AT, type ServerWarning, serverWarnings } from './server-warnings.ts'

/** Redis answers but can't be used; the message says what to do. */
export class RedisUnfit extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RedisUnfit'
  }
}

/** @throws RedisUnfit, or `unavailable` if Redis goes away meanwhile */
export async function checkServer(
  connection: CheckedConnection,
  { clusterName }: RedisSettings,
  logger: Logger,
): Promise<void> {
  const masters = mastersOf(connection.commands)
  for (const master of masters) {
    const info = await connection.run(() => master.info('server'))
    const problem = wrongKind(info) ?? tooOld(info) ?? (await oneOfMany(connection, info))
    if (problem !== undefined) throw new RedisUnfit(problem)
  }
  const missing = await missingPermissions(connection, clusterName)
  if (missing.length > 0) throw new RedisUnfit(missingRequirement(missing, clusterName))
  const warnings = await Promise.all(masters.map((master) => warningsOf(connection, master)))
  const each = new Map(warnings.flat().map(({ level, message }) => [message, level]))
  for (const [message, level] of each) logger[level](message)
}

/** A server of a Redis Cluster that is used as if it were alone. */
async function oneOfMany(connection: CheckedConnection, info: string): Promise<string | undefined> {
  const { commands } = connection
  if (commands instanceof Cluster || !isClusterNode(info)) return undefined
  try {
    return partOfCluster(await connection.run(() => commands.cluster('INFO')))
  } catch (error) {
    // It may not be asked by this user. Then its answers to other commands say so.
    if (error instanceof RookeryError && isReply(error.cause, 'NOPERM')) return undefined
    throw error
  }
}

/** The servers that take writes. */
export function mastersOf(commands: RedisCommands): readonly Redis[] {
  return commands instanceof Cluster ? commands.nodes('master') : [commands]
}

function missingRequirement(missing: readonly string[], clusterName: string): string {
  return `the user at Redis lacks permissions:\n  ${missing.join('\n  ')}\nThese are enough: ACL SETUSER <user> ${aclRules(clusterName)}`
}

/** Many hosted Redis services do not allow CONFIG GET. */
async function warningsOf(connection: CheckedConnection, master: Redis): Promise<ServerWarning[]> {
  let flat: unknown
  try {
    flat = await connection.run(() => master.call('config', 'get', ...LOOKED_AT))
  } catch (error) {
    if (!(error instanceof RookeryError) || !isReply(error.cause)) throw error
    const message = `could not look at the settings of Redis (${error.cause.message}): see that it evicts nothing and keeps an append-only file`
    return [{ level: 'info', message }]
  }
  const words = Array.isArray(flat) ? flat.map(String) : []
  const pairs = words.flatMap((word, index): [string, string][] =>
    index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [],
  )
  return serverWarnings(new Map(pairs))
}
