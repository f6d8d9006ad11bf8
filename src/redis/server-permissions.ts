/**
 * Checks the permissions of the Redis user by trying the commands on keys and channels that nothing else
 * uses. The result names what is missing, so that it can be granted.
 */
import { RookeryError } from '../wire/errors.ts'
import type { CheckedConnection } from './checked-connection.ts'
import { backplanePrefix, clusterKey, roomKey, userKey } from './names.ts'
import { isReply, runScript, script, willPass } from './script.ts'

/** The commands of the scripts, as they are tried; `%` stands for the key. */
export const SCRIPT_COMMANDS = [
  'SET %:s 1 PX 1000',
  'GET %:s',
  'INCRBY %:n 1',
  'PTTL %:n',
  'EXISTS %:s',
  'PEXPIRE %:s 1000',
  'PERSIST %:s',
  'HSET %:h f 1',
  'HGET %:h f',
  'HMGET %:h f',
  'HGETALL %:h',
  'HLEN %:h',
  'HDEL %:h f',
  'ZADD %:z 1 m',
  'ZCARD %:z',
  'ZCOUNT %:z 0 1',
  'ZRANGE %:z 0 0',
  'ZSCORE %:z m',
  'ZREM %:z m',
  'TIME',
  'SPUBLISH % x',
  'RENAME %:s %:t',
  'UNLINK %:t %:n %:h %:z',
] as const

/** The rules for an ACL user that may do all of it and no more than that with other keys. */
export const aclRules = (cluster: string) =>
  `~rookery:${cluster}:* ~rookery:{${cluster}}:* &rookery:${cluster}:* &rookery:{${cluster}}:* +@read +@write +@pubsub +@scripting +@connection -@dangerous +info +time +wait +config|get +cluster|slots +cluster|info`

const trying = script(
  'permissions',
  `-- Tries commands, and tells which of them this user may not use.
-- KEYS[1]: a key that nothing else uses; what is written is removed again
-- ARGV: the commands, each as its words with spaces between them
-- Returns what was refused, as pairs of command and error
local refused = {}
for _, line in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(line, '%S+') do
    local named = string.gsub(word, '^%%', function() return KEYS[1] end)
    words[#words + 1] = named
  end
  local answer = redis.pcall(unpack(words))
  if type(answer) == 'table' and answer.err then
    refused[#refused + 1] = words[1]
    refused[#refused + 1] = answer.err
  end
end
return refused
`,
)

/** @returns the missing permissions, one per line; empty if none is missing */
export async function missingPermissions(connection: CheckedConnection, cluster: string): Promise<string[]> {
  const missing: string[] = []
  for (const key of [roomKey, userKey].map((name) => name(cluster, 'check', 'check'))) {
    missing.push(...(await refusedAt(connection, key)))
  }
  missing.push(...(await refusedAt(connection, clusterKey(cluster, 'check'))))
  const channels = [roomKey(cluster, 'check', 'check'), `${backplanePrefix(cluster)}#check`]
  for (const channel of channels) {
    const refusal = await refusedChannel(connection, channel)
    if (refusal !== undefined) missing.push(`SSUBSCRIBE ${channel}: ${refusal}`)
  }
  return [...new Set(missing)]
}

async function refusedAt(connection: CheckedConnection, key: string): Promise<string[]> {
  let answer: unknown
  try {
    const call = { keys: [key] as const, args: SCRIPT_COMMANDS }
    answer = await connection.run((commands) => runScript(commands, trying, call))
  } catch (error) {
    const refusal = refusalIn(error)
    if (refusal === undefined) throw error
    return [`EVALSHA ${key}: ${refusal}`]
  }
  const words = Array.isArray(answer) ? answer.map(String) : []
  const passing = words.find((word, index) => index % 2 === 1 && willPass(word))
  if (passing !== undefined) throw new RookeryError('unavailable', `Redis: ${passing}`)
  return words.flatMap((word, index) =>
    index % 2 === 0 ? [`${word} ${key}: ${words[index + 1] ?? ''}`] : [],
  )
}

const nothing = () => undefined

async function refusedChannel(
  { subscriptions }: CheckedConnection,
  channel: string,
): Promise<string | undefined> {
  try {
    await subscriptions.subscribe(channel, nothing)
    subscriptions.unsubscribe(channel, nothing)
    return undefined
  } catch (error) {
    const refusal = refusalIn(error)
    if (refusal === undefined) throw error
    return refusal
  }
}

/** The reply of Redis if the user lacks a permission; undefined for any other error. */
function refusalIn(error: unknown): string | undefined {
  const cause = error instanceof RookeryError ? error.cause : error
  return isReply(cause, 'NOPERM') ? cause.message : undefined
}
