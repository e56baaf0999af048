/** What has to happen in Redis as one: each script checks first that an entry is still this consumer's. */

/**
 * KEYS: stream. ARGV: group, consumer, entry, deliveries, `1` to acknowledge, commands as JSON (lists of texts). Runs the commands
 * where the entry is pending for this consumer and was delivered so many times; 0 where it is not: somebody else has it, or it is over.
 */
export const FENCED = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if #pending == 0 or pending[1][2] ~= ARGV[2] or pending[1][4] ~= tonumber(ARGV[4]) then return 0 end
for _, command in ipairs(cjson.decode(ARGV[6])) do redis.call(unpack(command)) end
if ARGV[5] == '1' then redis.call('XACK', KEYS[1], ARGV[1], ARGV[3]) end
return 1`;

/**
 * KEYS: stream. ARGV: group, consumer, then entry and deliveries of each that is held. Keeps those that are still held; returns
 * the others. XCLAIM with JUSTID ends an entry's idle time and doesn't count as a delivery.
 */
export const HEARTBEAT = `
local lost = {}
for i = 3, #ARGV, 2 do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if #pending == 0 or pending[1][2] ~= ARGV[2] or pending[1][4] ~= tonumber(ARGV[i + 1]) then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return lost`;

/** KEYS: stream. Drops what every group is done with: below the oldest pending entry, or the last one that was delivered. */
export const TRIM = `
local function parts(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(seq)
end
local least
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local info = {}
  for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
  local bound = info['last-delivered-id']
  if info['pending'] > 0 then bound = redis.call('XPENDING', KEYS[1], info['name'])[2] end
  if least == nil then least = bound else
    local ms, seq = parts(bound)
    local leastMs, leastSeq = parts(least)
    if ms < leastMs or (ms == leastMs and seq < leastSeq) then least = bound end
  end
end
if least == nil then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', least)`;

/** KEYS: stream. ARGV: group, milliseconds. Forgets consumers that have nothing and weren't heard of for so long. */
export const FORGET_CONSUMERS = `
local forgotten = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local info = {}
  for i = 1, #consumer, 2 do info[consumer[i]] = consumer[i + 1] end
  if info['pending'] == 0 and info['idle'] > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], info['name'])
    forgotten = forgotten + 1
  end
end
return forgotten`;
