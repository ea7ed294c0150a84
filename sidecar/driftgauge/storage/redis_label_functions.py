"""The functions that the scripts of `redis_label_scripts` share, in the language of Redis."""

from typing import Final

from driftgauge.storage.label_slices import HEAD_BYTES, NAMED_SLICES, SCORE_SHIFT
from driftgauge.storage.labels import SLICES
from driftgauge.storage.redis_layout import FORMAT
from driftgauge.storage.redis_writers import APPEND, STALE
from driftgauge.storage.ring import OUTCOME_BYTES, OUTCOME_WINDOWS

COMMON: Final = f"""
local number, now, maturity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ttl, most, most_bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local LAST, META, UNRIPE = KEYS[1], KEYS[2], KEYS[3]
local sub, pack, unpack_bytes, text = string.sub, struct.pack, struct.unpack, string.format
local last = redis.call('GET', LAST)
local colon = last and string.find(last, ':', 1, true)
local last_number = colon and tonumber(sub(last, 1, colon - 1)) or 0
if last_number == number then return sub(last, colon + 1) end
if last_number > number then return redis.error_reply('{STALE} call: a later one was executed') end

-- the slices, by their ages
local names, members, labels, slices = {{}}, {{}}, {{}}, {{}}
for age = 0, {NAMED_SLICES - 1} do
  members[age], labels[age] = KEYS[6 + 2 * age], KEYS[7 + 2 * age]
  names[age + 1] = string.match(members[age], '%d+$')
end
local counts = redis.call('HMGET', META, unpack(names))
for age = 0, {NAMED_SLICES - 1} do
  local count, left_out, rows, labelled, bytes, aliases, threshold =
    string.match(counts[age + 1] or '', '^(%d+):(%d+):(%d+):(%d+):(%d+):(%d+):(%d*)$')
  slices[age] = {{count = tonumber(count or 0), left_out = tonumber(left_out or 0), rows = tonumber(rows or 0),
    labelled = tonumber(labelled or 0), bytes = tonumber(bytes or 0), aliases = tonumber(aliases or 0),
    threshold = tonumber(threshold or nil)}}
end
local function score_of(digest)
  local low, high = unpack_bytes('<I4I4', digest)
  return high * {2 ** (32 - SCORE_SHIFT)} + math.floor(low / {2**SCORE_SHIFT})
end
local function exact_of(digest)
  return text('%.0f', score_of(digest))
end
local function get(age, digest, exact)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', members[age], exact, exact)) do
    if sub(member, 1, 8) == digest then return member end
  end
end
local function parse(member)
  local time, rows, columns, aliases = unpack_bytes('<dI4I4B', member, 17)
  return time, rows, columns, aliases
end
-- A slice is needed until the one that follows it by as many as have keys has begun.
local function expire(key, age)
  local left = names[age + 1] - 1000 * now + {NAMED_SLICES} * ttl / {SLICES - 1}
  redis.call('PEXPIRE', key, math.max(math.ceil(left), 1000))
end
local function save()
  for age = 0, {NAMED_SLICES - 1} do
    local one = slices[age]
    if one.changed then
      redis.call('HSET', META, names[age + 1], text('%.0f:%.0f:%.0f:%.0f:%.0f:%.0f:', one.count, one.left_out, one.rows,
        one.labelled, one.bytes, one.aliases) .. (one.threshold and text('%.0f', one.threshold) or ''))
    end
  end
end
local function finish(reply)
  redis.call('SET', LAST, text('%.0f:', number) .. reply, 'PX', 86400000)
  return reply
end
"""
"""Reads the arguments and the slices, and writes back what a script has changed of them. Goes before each script."""

JUDGE: Final = f"""
local function append(KEYS, ARGV)
{APPEND}
end
-- Judged labels: rows of outcomes. Those of one response that follow each other came together.
local units = {{number = 0, data = {{}}, requests = {{}}, times = {{}}, ids = {{}}, places = {{}}}}
local NAN = string.char(0, 0, 0, 0, 0, 0, 248, 127)
local function judge(member, row, output, outputs, value)
  local time, _, columns, aliases = parse(member)
  local first = {HEAD_BYTES} + 8 * aliases + 8 * columns * row
  units.number = units.number + 1
  units.data[units.number] = sub(member, first + 1, first + 8 * columns) .. string.rep(NAN, output) .. value ..
    string.rep(NAN, outputs - output - 1)
  units.places[units.number] = pack('<I4', row)
  if units.member == member then
    units.requests[#units.requests] = units.requests[#units.requests] + 1
  else
    units.member, units.requests[#units.requests + 1] = member, 1
    units.times[#units.requests], units.ids[#units.requests] = pack('<d', time), sub(member, 1, 8)
  end
end
local changed = {{}}
local function entry_of(age, field)
  local own = changed[age] or {{}}
  changed[age] = own
  if own[field] == nil then own[field] = {{redis.call('HGET', labels[age], field)}} end
  return own[field]
end
-- Appends the judged rows, and only then changes what waits. Returns an error, or the total and what was replaced.
local function settle(schema)
  local total, replaced = tonumber(ARGV[8]), 0
  if units.number > 0 then
    local hex = string.gsub(schema, '.', function(byte) return text('%02x', string.byte(byte)) end)
    local kept = math.min({OUTCOME_WINDOWS} * ARGV[9], math.floor({OUTCOME_BYTES} / #units.data[1]))
    for index, own in ipairs(units.requests) do units.requests[index] = pack('<I4', own) end
    local appended = append({{KEYS[4], KEYS[5]}}, {{ARGV[7], number, total, units.number, units.number,
      text('%.0f', math.max(ARGV[9], kept)), ARGV[10], 'format', '{FORMAT}', 'schema', hex,
      'rows', text('%d', units.number), 'requests', table.concat(units.requests),
      'times', table.concat(units.times), 'ids', table.concat(units.ids),
      'places', table.concat(units.places), 'data', table.concat(units.data)}})
    if appended.err then return appended end
    total, replaced = appended[1], appended[2]
  end
  for age, own in pairs(changed) do
    for field, entry in pairs(own) do
      if entry.changed then redis.call('HSET', labels[age], field, entry[1]) end
    end
    if slices[age].touched then expire(labels[age], age) end
  end
  save()
  return nil, total, replaced
end
"""
"""Judges labels: collects rows of outcomes, and appends them. Goes after `COMMON`."""
