/**
 * The scripts of the room log on Redis. Each runs one step of the log atomically, with all keys of one room
 * (or of one user) in one slot. The comment above a script gives its purpose, KEYS, ARGV and answer; codes.ts
 * maps the codes to errors. Texts pass through as bytes: the scripts neither decode nor encode JSON.
 *
 * A room's keys, in the order in which every script takes them:
 *   1 meta     hash  epoch · head · first · at (of the newest entry) · texts (ever appended) · gone (texts trimmed)
 *   2 log      hash  seq → the entry as JSON, keys in this order: seq at id kind from target hash sig n text data. `n` counts
 *                    the texts up to and with this entry; a removal cuts off what begins with `text`. `data` is JSON in a
 *                    string: keys of an application are not to be mistaken for those of the entry
 *   3 ids      hash  "author":id → seq
 *   4 edits    zset  seq of an edit, by the seq of its target
 *   5 removed  zset  seq of a removed text, by itself
 *   6 the channel on which entries are published
 *
 * A quote inside a JSON string is always escaped, so `,"text":` and the like can only be a key.
 */
import { CLOCK_STEP_MS } from '../../core/clock-filter.ts'
import { script } from '../../redis/script.ts'

/**
 * `checkEpoch` takes ARGV[1] a new epoch, in case one is needed · [2] [3] [4] the newest entry that the caller
 * knows: epoch, seq and first bytes of that entry, or '' '0' ''. If the store lacks that entry, it has lost
 * the end of its log: it gets the new epoch before anything else happens, and the reset is published.
 */
const room = `
local EMPTY_ROOM_MS = 86400000
local function whole(number) return string.format('%.0f', number) end

local function load()
  local m = redis.call('HMGET', KEYS[1], 'epoch', 'head', 'first', 'at', 'texts', 'gone')
  return {
    epoch = m[1], head = tonumber(m[2] or 0), first = tonumber(m[3] or 1),
    at = tonumber(m[4] or 0), texts = tonumber(m[5] or 0), gone = tonumber(m[6] or 0),
  }
end

local function entry(seq) return redis.call('HGET', KEYS[2], whole(seq)) end

local function lost(room, seq, proof)
  if room.head < seq then return true end
  local value = seq >= room.first and entry(seq)
  return value and string.sub(value, 1, #proof) ~= proof
end

-- All entries are gone at once: deleted or evicted by Redis. Their numbers are not reused.
local function trimAll(room)
  room.first, room.gone = room.head + 1, room.texts
  redis.call('UNLINK', KEYS[3], KEYS[4], KEYS[5])
  redis.call('HSET', KEYS[1], 'first', whole(room.first), 'gone', whole(room.gone))
end

-- A store that takes no writes can still be asked about a room without entries. The room then has the same
-- epoch at each look, which becomes its own when it can be stored.
local UNSTORED = 'unstored'
local function begin(room)
  room.epoch = (ARGV[2] == UNSTORED and ARGV[3] == '0') and UNSTORED or ARGV[1]
  local stored = redis.pcall('HSET', KEYS[1], 'epoch', room.epoch)
  if type(stored) == 'table' and stored.err then
    room.epoch, room.refusal = UNSTORED, stored
  else
    redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  end
end

-- For the scripts that only look.
local function expireEmpty(room)
  if room.head == 0 then redis.pcall('PEXPIRE', KEYS[1], EMPTY_ROOM_MS) end
end

local function checkEpoch(room)
  if not room.epoch then
    begin(room)
  elseif room.epoch == ARGV[2] and lost(room, tonumber(ARGV[3]), ARGV[4]) then
    room.epoch = ARGV[1]
    redis.call('HSET', KEYS[1], 'epoch', room.epoch)
    redis.call('SPUBLISH', KEYS[6], '{"epoch":"' .. room.epoch .. '","reset":true}')
  end
  if room.first <= room.head and redis.call('EXISTS', KEYS[2]) == 0 then trimAll(room) end
end
`

const trimming = `
local SMALL_STEP_MS = ${CLOCK_STEP_MS}
-- The JSON string that starts at position from.
local function quoted(value, from)
  local at = from + 1
  while true do
    at = string.find(value, '["\\\\]', at)
    if not at then return nil end
    if string.byte(value, at) == 34 then return string.sub(value, from, at) end
    at = at + 2
  end
end

local function atOf(value) return tonumber(string.match(value, '^{"seq":%d+,"at":(%d+),')) end

local function forget(room, value)
  local seq = whole(room.first)
  redis.call('HDEL', KEYS[2], seq)
  local id = string.match(value, '^{"seq":%d+,"at":%d+,"id":"([%w_-]+)",')
  local _, from = string.find(value, ',"from":{"id":', 1, true)
  local author = from and quoted(value, from + 1)
  if id and author then redis.call('HDEL', KEYS[3], author .. ':' .. id) end
  room.gone = tonumber(string.match(value, ',"n":(%d+)')) or room.gone
  if string.find(value, ',"kind":"edit",', 1, true) then redis.call('ZREM', KEYS[4], seq) end
  if string.find(value, ',"kind":"text",', 1, true) then redis.call('ZREM', KEYS[5], seq) end
end

-- The time, and the age to keep: the clock of Redis may have jumped. expected: what the host expects it to say.
local function judge(expected, mostDrift, age)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local drift = expected and math.abs(now - expected) or 0
  if drift > SMALL_STEP_MS then now = expected end
  return now, drift > mostDrift and -1 or age
end

-- Whether the oldest entry is too old. If it is from the future, a clock was wrong, and its age shows in the entries after it.
local function isOld(room, value, now, age)
  local at = atOf(value)
  if age < 0 or not at then return false end
  if at <= now + SMALL_STEP_MS then return at < now - age end
  local step = 1
  while room.first + step <= room.head do
    local later = atOf(entry(room.first + step) or '')
    if later and later < now - age then return true end
    step = step * 2
  end
  return false
end

-- Trims entries beyond keep (-1: no limit) or older than age (-1: no limit), oldest first, at most budget.
local function trim(room, keep, now, age, budget)
  local trimmed = 0
  while trimmed < budget and room.first <= room.head do
    local value = entry(room.first) or ''
    local excess = keep >= 0 and room.head - room.first + 1 > keep
    if not excess and not isOld(room, value, now, age) then break end
    forget(room, value)
    room.first = room.first + 1
    trimmed = trimmed + 1
  end
  return trimmed
end
`

/**
 * Appends a message: detects a retry, checks the target of an edit or removal, numbers, stores, trims,
 * publishes.
 * ARGV 1-4: checkEpoch · 5 time in ms that the clock of Redis should show, '' if unknown · 6 by how much it may differ for ages
 *   to be judged · 7 entries to keep, -1 for all · 8 age to keep in ms, -1 for any · 9 field in ids · 10 hash of what is said ·
 *   11 kind · 12 target, '' for none · 13 how the author stands in an entry · 14 the entry's JSON from id to sig, without
 *   braces · 15 the text as JSON, '' for none · 16 the data as JSON in a JSON string, '' for none
 * Answer: code, epoch, head; after 'stored' and 'duplicate' also seq, at, and how many entries were trimmed.
 */
const append = `
${room}${trimming}
local room = load()
checkEpoch(room)
if room.refusal then return room.refusal end
local function answer(code, ...) return { code, room.epoch, room.head, ... } end

local known = tonumber(redis.call('HGET', KEYS[3], ARGV[9]) or 0)
local first = known >= room.first and entry(known)
if first then
  if not string.find(first, ',"hash":"' .. ARGV[10] .. '"', 1, true) then return answer('conflict') end
  return answer('duplicate', known, atOf(first), 0)
end

local function blank(seq)
  local value = entry(seq)
  local cut = value and string.find(value, ',"text":', 1, true)
  if cut then redis.call('HSET', KEYS[2], whole(seq), string.sub(value, 1, cut - 1) .. '}') end
end

local kind, target = ARGV[11], tonumber(ARGV[12])
if target then
  local value = target >= room.first and entry(target)
  if not value then return answer('no_target') end
  if not string.find(value, ',"kind":"text",', 1, true) then return answer('not_a_text') end
  if not string.find(value, ARGV[13], 1, true) then return answer('not_the_author') end
  if not string.find(value, ',"text":', 1, true) then return answer('removed') end
end

local now, age = judge(tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[8]))
local isFirst = room.head == 0
room.head = room.head + 1
-- Not earlier than the entry before, except where a clock was put right.
if room.at - now > SMALL_STEP_MS then room.at = now else room.at = math.max(now, room.at) end
if kind == 'text' then room.texts = room.texts + 1 end
local seq = whole(room.head)
local value = '{"seq":' .. seq .. ',"at":' .. whole(room.at) .. ',' .. ARGV[14] .. ',"n":' .. whole(room.texts)
if ARGV[15] ~= '' then value = value .. ',"text":' .. ARGV[15] end
if ARGV[16] ~= '' then value = value .. ',"data":' .. ARGV[16] end
value = value .. '}'

-- The first write: a full Redis refuses it. After a write that needs no memory it would take all others.
redis.call('HSET', KEYS[2], seq, value)
redis.call('HSET', KEYS[3], ARGV[9], seq)
if isFirst then redis.call('PERSIST', KEYS[1]) end
if kind == 'edit' then redis.call('ZADD', KEYS[4], target, seq) end
if kind == 'remove' then
  blank(target)
  redis.call('ZADD', KEYS[5], target, whole(target))
  for _, edit in ipairs(redis.call('ZRANGE', KEYS[4], target, target, 'BYSCORE')) do blank(edit) end
end
local trimmed = trim(room, tonumber(ARGV[7]), now, age, 8)
redis.call('HSET', KEYS[1], 'epoch', room.epoch, 'head', seq, 'first', whole(room.first), 'at', whole(room.at),
  'texts', whole(room.texts), 'gone', whole(room.gone))
redis.call('SPUBLISH', KEYS[6], '{"epoch":"' .. room.epoch .. '",' .. string.sub(value, 2))
return answer('stored', room.head, room.at, trimmed)
`

/**
 * Position of the log.
 * ARGV 1-4: checkEpoch. Answer: epoch, head, first.
 */
const position = `
${room}
local room = load()
checkEpoch(room)
expireEmpty(room)
return { room.epoch, room.head, room.first }
`

/**
 * A page of entries, bounded by count and by bytes; at least one entry, if there is any.
 * ARGV 1-4: checkEpoch · 5 'after' 'before' or 'newest' · 6 seq, for the first two · 7 limit · 8 bytes
 * Answer: epoch, head, first, 1 if there is more in that direction, seq of the first value that follows, the step from one
 *   value to the next (1 or -1), and the values; nil for one that is missing.
 */
const read = `
${room}
local CHUNK = 50
local room = load()
checkEpoch(room)
expireEmpty(room)
local step, from, last = 1, 0, 0
if ARGV[5] == 'after' then
  from = math.max(tonumber(ARGV[6]) + 1, room.first)
  last = room.head
else
  step, last = -1, room.first
  from = room.head
  if ARGV[5] == 'before' then from = math.min(from, tonumber(ARGV[6]) - 1) end
end

local answer = { room.epoch, room.head, room.first, 0, from, step }
local left, bytes, at = tonumber(ARGV[7]), tonumber(ARGV[8]), from
while left > 0 and bytes > 0 and (last - at) * step >= 0 do
  local fields = {}
  for seq = at, at + step * (math.min(left, CHUNK, (last - at) * step + 1) - 1), step do
    fields[#fields + 1] = whole(seq)
  end
  for _, value in ipairs(redis.call('HMGET', KEYS[2], unpack(fields))) do
    bytes = bytes - (value and #value or 0)
    if bytes < 0 and at ~= from then break end
    answer[#answer + 1] = value
    at = at + step
    left = left - 1
  end
end
if (last - at) * step >= 0 then answer[4] = 1 end
return answer
`

/**
 * Unread texts of a reader.
 * KEYS: 1 meta · 2 entries · 3 removed. ARGV: 1 the read marker. Answer: head, the marker, unread texts.
 * A marker beyond the head belongs to a lost log and counts as none.
 */
const unread = `
local m = redis.call('HMGET', KEYS[1], 'head', 'first', 'texts', 'gone')
local head, first, texts, gone = tonumber(m[1] or 0), tonumber(m[2] or 1), tonumber(m[3] or 0), tonumber(m[4] or 0)
local read = tonumber(ARGV[1])
if read > head then read = 0 end
if read == head then return { head, read, 0 } end
local upTo = gone
if read >= first then
  upTo = tonumber(string.match(redis.call('HGET', KEYS[2], read) or '', ',"n":(%d+)')) or gone
end
return { head, read, math.max(0, texts - upTo - redis.call('ZCOUNT', KEYS[3], read + 1, '+inf')) }
`

/**
 * Trims entries beyond the limits of count and age.
 * ARGV: 1-4 as append's 5-8 · 5 at most so many
 * Answer: the number of trimmed entries, 1 if there are more.
 */
const sweep = `
${room}${trimming}
local room = load()
if not room.epoch or room.first > room.head then return { 0, 0 } end
local now, age = judge(tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]))
local budget = tonumber(ARGV[5])
local trimmed = trim(room, tonumber(ARGV[3]), now, age, budget)
if trimmed > 0 then
  redis.call('HSET', KEYS[1], 'first', whole(room.first), 'gone', whole(room.gone))
end
return { trimmed, trimmed == budget and 1 or 0 }
`

/**
 * Adds a room to a user's own rooms.
 * KEYS: 1 the user's rooms: zset of room by read marker. ARGV: 1 room · 2 how many a user may have · 3 the first marker,
 * '' if it is not known yet. Answer: 'ok', 'too_many', or 'new' when the marker is needed.
 */
const track = `
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'ok' end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 'too_many' end
if ARGV[3] == '' then return 'new' end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 'ok'
`

/**
 * Moves a user's read marker, never back unless it is known to belong to a lost log.
 * KEYS: 1 the user's rooms. ARGV: 1 room · 2 seq · 3 the marker of a lost log, '' for none.
 * Answer: the marker, or -1 if the room is not one of the user's own.
 */
const mark = `
local read = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1)
if read < 0 then return -1 end
if read == tonumber(ARGV[3]) then read = -1 end
local moved = math.max(read, tonumber(ARGV[2]))
if moved ~= read then redis.call('ZADD', KEYS[1], moved, ARGV[1]) end
return moved
`

export const logScripts = {
  append: script('log append', append),
  position: script('log position', position),
  read: script('log read', read),
  unread: script('log unread', unread),
  sweep: script('log sweep', sweep),
  track: script('user track', track),
  mark: script('user mark', mark),
}
