/** Scripts of commands that work on whole rooms: import, and signing anew. Keys and conventions: lua.ts. */
import { script } from '../../redis/script.ts'

/**
 * Makes a room of imported data, unless it has entries already. Publishes a reset to the hosts that watch it.
 * KEYS: 1-6 · 7-10 are renamed to 2-5. ARGV: 1 epoch · 2 head · 3 first · 4 at · 5 texts · 6 gone
 * Answer: 1, or 0 if the room has entries, or -1 if not all of the imported entries are there.
 */
const importRoom = `
if tonumber(redis.call('HGET', KEYS[1], 'head') or 0) > 0 then return 0 end
if redis.call('HLEN', KEYS[7]) ~= ARGV[2] - ARGV[3] + 1 then return -1 end
for part = 2, 5 do
  redis.call('UNLINK', KEYS[part])
  if redis.call('EXISTS', KEYS[part + 5]) == 1 then
    redis.call('RENAME', KEYS[part + 5], KEYS[part])
    redis.call('PERSIST', KEYS[part])
  end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'head', ARGV[2], 'first', ARGV[3], 'at', ARGV[4],
  'texts', ARGV[5], 'gone', ARGV[6])
redis.call('PERSIST', KEYS[1])
redis.call('SPUBLISH', KEYS[6], '{"epoch":"' .. ARGV[1] .. '","reset":true}')
return 1
`

/**
 * Replaces entries, each only if it is still as the caller has read it.
 * KEYS: 1 log. ARGV: seq · the entry as read · the new one; and so on. Answer: how many were replaced.
 */
const replace = `
local replaced = 0
for at = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
    replaced = replaced + 1
  end
end
return replaced
`

export const transferScripts = {
  importRoom: script('log adopt', importRoom),
  replace: script('log replace', replace),
}
