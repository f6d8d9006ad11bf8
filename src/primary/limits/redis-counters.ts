/**
 * Counters in Redis for all hosts: messages and pages of a user in the current window, and the connections
 * of a user on each host. One script each, with one key of the user. Entries of hosts that are gone are not
 * counted and expire.
 */
import type { RateLimiter, RateWindow } from '../../core/rate-limiter.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import { userKey } from '../../redis/names.ts'
import { runScript, script } from '../../redis/script.ts'
import { RookeryError } from '../../wire/errors.ts'
import type { Backplane } from '../backplane/index.ts'

export interface RedisCounters {
  connection: Pick<RedisConnection, 'run' | 'onHealth'>
  cluster: string
  backplane: Pick<Backplane, 'self' | 'hosts'>
}

/** Lifetime of a host's entry, unless it is refreshed. */
const CONNECTIONS_KEPT_MS = 900_000

const limitScripts = {
  take: script(
    'rate take',
    `-- Takes one from what is left of a window; the first one opens it.
-- KEYS[1]: how many have been taken
-- ARGV: 1 how many a window has, 2 its milliseconds
-- Returns 0, or the milliseconds until the window ends when nothing is left
redis.call('SET', KEYS[1], 0, 'PX', ARGV[2], 'NX')
local taken = redis.call('INCRBY', KEYS[1], 1)
if taken <= tonumber(ARGV[1]) then return 0 end
local left, window = redis.call('PTTL', KEYS[1]), tonumber(ARGV[2])
-- Longer than a window: the clock of Redis was ahead when it began.
if left < 0 or left > window then
  redis.call('PEXPIRE', KEYS[1], window)
  left = window
end
return math.max(1, left)
`,
  ),
  connections: script(
    'connections write',
    `-- Writes how many connections of a user a host has, and counts those of other hosts.
-- KEYS[1]: a hash: by host tag the count, a space, and the time in Unix milliseconds until which it counts
-- ARGV: 1 the host's tag, 2 its count, 3 for how many milliseconds that counts, 4 … the tags of the other hosts that are there
-- Returns how many connections those hosts have
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[2]) > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now + ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
local there = {}
for at = 4, #ARGV do there[ARGV[at]] = true end
local others = 0
local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
  local count, till = string.match(fields[at + 1], '^(%d+) (%d+)$')
  if count == nil or tonumber(till) < now then
    redis.call('HDEL', KEYS[1], fields[at])
  elseif there[fields[at]] then
    others = others + tonumber(count)
  end
end
return others
`,
  ),
} as const

/** Rejects if Redis does not answer. */
export function takeFromRedis(
  { connection, cluster }: RedisCounters,
  what: 'messages' | 'pages',
  { points, durationMs }: RateWindow,
): RateLimiter {
  return async (userId) => {
    const keys = [userKey(cluster, userId, what)] as const
    const call = { keys, args: [points, durationMs] }
    return wholeNumber(await connection.run((commands) => runScript(commands, limitScripts.take, call)))
  }
}

/** Resolves with the user's connections on other hosts. Rejects if Redis does not answer. */
export async function writeConnections(
  { connection, cluster, backplane }: RedisCounters,
  userId: string,
  count: number,
): Promise<number> {
  const keys = [userKey(cluster, userId, 'connections')] as const
  const others = backplane.hosts().map(({ host }) => host)
  const call = { keys, args: [backplane.self, count, CONNECTIONS_KEPT_MS, ...others] }
  return wholeNumber(await connection.run((commands) => runScript(commands, limitScripts.connections, call)))
}

function wholeNumber(answer: unknown): number {
  if (typeof answer === 'number' && Number.isSafeInteger(answer)) return answer
  throw new RookeryError('internal', 'Redis answered something else than a count')
}
