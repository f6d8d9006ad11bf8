/**
 * Lua scripts. They are called by the digest of their text, and sent in full only if Redis does not have them
 * yet. A script starts with its purpose, KEYS, ARGV and answer. All its keys share a hash tag, so that it
 * runs in Redis Cluster.
 */
import { createHash } from 'node:crypto'
import { type Cluster, type Redis, ReplyError } from 'ioredis'

export interface Script {
  /** Name for errors and metrics. */
  readonly name: string
  readonly lua: string
  /** SHA-1 digest for EVALSHA. */
  readonly digest: string
}

export type ScriptArgument = string | number | Buffer

export interface ScriptCall {
  /** At least one: it selects the node of a Redis Cluster. */
  readonly keys: readonly [string, ...string[]]
  readonly args: readonly ScriptArgument[]
}

export function script(name: string, lua: string): Script {
  return { name, lua, digest: createHash('sha1').update(lua).digest('hex') }
}

/** @returns the reply, with texts as Buffers */
export async function runScript(
  commands: Redis | Cluster,
  { lua, digest }: Script,
  { keys, args }: ScriptCall,
): Promise<unknown> {
  const rest = [keys.length, ...keys, ...args]
  try {
    return await commands.callBuffer('evalsha', digest, ...rest)
  } catch (error) {
    if (!isReply(error, 'NOSCRIPT')) throw error
    return commands.callBuffer('eval', lua, ...rest)
  }
}

/** Whether Redis itself replied with an error, optionally with this code: `NOSCRIPT`, `MOVED` … */
export function isReply(error: unknown, code = ''): error is Error & { name: 'ReplyError' } {
  return error instanceof ReplyError && (error as Error).message.startsWith(code)
}

/** Error codes of Redis that are temporary. */
const PASSING_REPLIES = [
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'NOREPLICAS',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'MISCONF',
  'OOM',
  'BUSY',
  'NOAUTH',
  'UNBLOCKED',
]

/** Whether the error is temporary. */
export function willPass(errorReply: string): boolean {
  return PASSING_REPLIES.some((code) => errorReply.startsWith(code))
}
