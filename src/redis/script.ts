/**
 * Lua scripts: known by the digest of their text, sent in full only where Redis does not have them yet. A script opens with
 * its purpose, KEYS, ARGV and what it answers; all its keys share a hash tag, so that it runs in Redis Cluster too.
 */
import { createHash } from 'node:crypto'
import { type Cluster, type Redis, ReplyError } from 'ioredis'

export interface Script {
  /** For people: in errors and metrics. */
  readonly name: string
  readonly lua: string
  /** What EVALSHA takes. */
  readonly digest: string
}

export type ScriptArgument = string | number | Buffer

export interface ScriptCall {
  /** One at least: it says which node of a Redis Cluster runs the script. */
  readonly keys: readonly [string, ...string[]]
  readonly args: readonly ScriptArgument[]
}

export function script(name: string, lua: string): Script {
  return { name, lua, digest: createHash('sha1').update(lua).digest('hex') }
}

/** @returns the answer, texts in it as bytes */
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

/** Whether Redis itself has answered with an error, and if given, with this one: `NOSCRIPT`, `MOVED` … */
export function isReply(error: unknown, code = ''): error is Error & { name: 'ReplyError' } {
  return error instanceof ReplyError && (error as Error).message.startsWith(code)
}

/** What Redis itself answers when it can't serve just now. */
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

/** Whether the same may be answered otherwise later. */
export function willPass(errorReply: string): boolean {
  return PASSING_REPLIES.some((code) => errorReply.startsWith(code))
}
