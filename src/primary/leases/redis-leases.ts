/** Leases in Redis, for several hosts. Each is a hash with the holder, the end of the lease and the last run. */
import { z } from 'zod'
import type { RedisConnection } from '../../redis/connection.ts'
import { clusterKey } from '../../redis/names.ts'
import { runScript, script } from '../../redis/script.ts'
import type { LeaseAnswer } from './lease-table.ts'

/** The last run of a name that nobody asks for any more is forgotten. */
const KEPT_MS = 90 * 86_400_000

const TIME = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

const scripts = {
  hold: script(
    'lease hold',
    `-- Takes a lease that is free or one's own, for some time from now
-- KEYS[1]: the lease
-- ARGV: 1 who asks, 2 for how many milliseconds, 3 for how many the last run is kept
-- Returns for how long it is held (0: by somebody else), and the milliseconds since the last run (-1: none)
${TIME}local lease = redis.call('HMGET', KEYS[1], 'holder', 'until', 'ran')
local whole = string.format('%.0f', now + ARGV[2])
-- Times that are still to come: the clock of Redis was ahead. They would be valid until then.
local ran = lease[3] and tonumber(lease[3])
if ran and ran > now then
  ran = now
  redis.call('HSET', KEYS[1], 'ran', string.format('%.0f', now))
end
if lease[1] and lease[1] ~= ARGV[1] and tonumber(lease[2]) > now then
  if tonumber(lease[2]) > tonumber(whole) then redis.call('HSET', KEYS[1], 'until', whole) end
  return {0, -1}
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', whole)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {tonumber(ARGV[2]), ran and now - ran or -1}
`,
  ),
  ran: script(
    'lease ran',
    `-- Notes a run of the holder
-- KEYS[1]: the lease
-- ARGV: 1 who asks
-- Returns 1, or 0 if the lease is another's or over
${TIME}local lease = redis.call('HMGET', KEYS[1], 'holder', 'until')
if lease[1] ~= ARGV[1] or tonumber(lease[2]) <= now then return 0 end
redis.call('HSET', KEYS[1], 'ran', string.format('%.0f', now))
return 1
`,
  ),
  end: script(
    'lease end',
    `-- Gives a lease back
-- KEYS[1]: the lease
-- ARGV: 1 who asks
-- Returns 0
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', 0) end
return 0
`,
  ),
} as const

const held = z.tuple([z.int().min(0), z.int().min(-1)])

export interface SharedLeases {
  connection: Pick<RedisConnection, 'run'>
  cluster: string
}

/** Rejects if Redis does not answer. */
export class RedisLeases {
  readonly #shared: SharedLeases

  constructor(shared: SharedLeases) {
    this.#shared = shared
  }

  async hold(holder: string, name: string, leaseMs: number): Promise<LeaseAnswer> {
    const [heldMs, ran] = held.parse(await this.#run('hold', name, [holder, leaseMs, KEPT_MS]))
    return { heldMs, ranAgoMs: ran < 0 ? null : ran }
  }

  async ran(holder: string, name: string): Promise<boolean> {
    return (await this.#run('ran', name, [holder])) === 1
  }

  async end(holder: string, name: string): Promise<void> {
    await this.#run('end', name, [holder])
  }

  #run(which: keyof typeof scripts, name: string, args: (string | number)[]): Promise<unknown> {
    const { connection, cluster } = this.#shared
    const keys = [clusterKey(cluster, `lease:${name}`)] as const
    return connection.run((commands) => runScript(commands, scripts[which], { keys, args }))
  }
}
