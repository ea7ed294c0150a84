"""The scripts that change what waits for labels in Redis. `redis_label_layout` defines the format.

Keys of each: that of the writer's last call, what is counted, what is not judged yet, the stream of outcomes and its
writers, then for each slice, the newest one first, its responses and its labels. Arguments: the number of the call, the
time in seconds since the epoch, the maturity in seconds, the time to live in milliseconds, most responses and most
bytes of a slice, the writer, and what follows at each script.
"""

from typing import Final

from driftgauge.storage.label_slices import HEAD_BYTES, MATURE_UNITS, NAMED_SLICES, ROW_BYTES
from driftgauge.storage.labels import SLICES
from driftgauge.storage.redis_label_functions import COMMON, JUDGE

PUT: Final = (
    COMMON
    + f"""
local kept, left_out, displaced = 0, 0, 0
local function count(one, member, sign)
  local _, rows, _, aliases = parse(member)
  one.count, one.rows, one.aliases = one.count + sign, one.rows + sign * rows, one.aliases + sign * aliases
  one.bytes, one.changed = one.bytes + sign * (#member + {ROW_BYTES} * rows), true
end
local function drop(age, member)
  local one, digest = slices[age], sub(member, 1, 8)
  local _, rows, _, aliases = parse(member)
  count(one, member, -1)
  for alias = 1, aliases do
    local field = 'a' .. sub(member, {HEAD_BYTES - 7} + 8 * alias, {HEAD_BYTES} + 8 * alias)
    if redis.call('HGET', labels[age], field) == digest then redis.call('HDEL', labels[age], field) end
  end
  if one.labelled == 0 then return end
  for first = 0, rows - 1, 1000 do
    local fields = {{}}
    for row = first, math.min(first + 1000, rows) - 1 do fields[#fields + 1] = 'r' .. digest .. pack('<I4', row) end
    one.labelled = one.labelled - redis.call('HDEL', labels[age], unpack(fields))
  end
  redis.call('ZREM', UNRIPE, digest .. names[age + 1])
end
local function put(age, member)
  local own, digest = slices[age], sub(member, 1, 8)
  local score, exact = score_of(digest), exact_of(digest)
  if own.threshold and score >= own.threshold then
    own.left_out, own.changed, left_out = own.left_out + 1, true, left_out + 1
    return
  end
  kept = kept + 1
  for other = 0, {SLICES - 1} do
    local one = slices[other]
    if one.count > 0 and not (one.threshold and score >= one.threshold) then
      local known = get(other, digest, exact)
      if known == member and other == age then return end
      if known then
        redis.call('ZREM', members[other], known)
        drop(other, known)
        displaced = displaced + 1
      end
    end
  end
  redis.call('ZADD', members[age], exact, member)
  count(own, member, 1)
  local _, _, _, aliases = parse(member)
  for alias = 1, aliases do
    local field = 'a' .. sub(member, {HEAD_BYTES - 7} + 8 * alias, {HEAD_BYTES} + 8 * alias)
    redis.call('HSET', labels[age], field, digest)
  end
  own.touched = true
  while own.count > most or own.bytes > most_bytes do
    local largest = redis.call('ZPOPMAX', members[age])
    drop(age, largest[1])
    if largest[1] == member then kept = kept - 1 end
    own.threshold, own.left_out, left_out = tonumber(largest[2]), own.left_out + 1, left_out + 1
  end
end
for index = 9, #ARGV, 3 do
  local age, refused = tonumber(ARGV[index]), tonumber(ARGV[index + 1])
  if ARGV[index + 2] == '' then
    if age >= 0 then
      slices[age].left_out, slices[age].changed = slices[age].left_out + refused, true
    end
    left_out = left_out + refused
  else
    put(age, ARGV[index + 2])
  end
end
if redis.call('HGET', META, 'layout') ~= ARGV[8] then redis.call('HSET', META, 'layout', ARGV[8]) end
save()
redis.call('PEXPIRE', META, 2 * ttl)
for age = 0, {SLICES - 1} do
  if slices[age].touched then
    expire(members[age], age)
    expire(labels[age], age)
  end
end
if redis.call('HLEN', META) > {3 * SLICES} then
  local fields = redis.call('HGETALL', META)
  for index = 1, #fields, 2 do
    local start = tonumber(fields[index])
    if fields[index] ~= 'layout' and not (start and start >= 1000 * now - 2 * ttl) then
      redis.call('HDEL', META, fields[index])
    end
  end
end
local reply = pack('<I4I4I4', kept, left_out, displaced)
for age = 0, {SLICES - 1} do
  reply = reply .. pack('<d', slices[age].threshold or -1)
end
return finish(reply)
"""
)
"""Puts responses. Arguments from the eighth on: the layout, then for each response the age of its slice, a number, and
its member; or, with an empty member, how many responses are left out for sure, of no slice if the age is below 0."""

MATCH: Final = (
    COMMON
    + JUDGE
    + f"""
local schema, outputs = ARGV[11], tonumber(ARGV[12])
local wanted, known, replies, may_be_further = {{}}, {{}}, {{}}, false
for index = 13, #ARGV do
  local packed = ARGV[index]
  local key = sub(packed, 1, 8) .. sub(packed, 22, 23)
  if not known[key] then
    local first, last_age = string.byte(packed, 22, 23)
    local id = sub(packed, 1, 8)
    known[key] = {{id = id, first = first, last = last_age, score = score_of(id), exact = exact_of(id)}}
    wanted[#wanted + 1] = known[key]
  end
end
for age = 0, {SLICES - 1} do
  local one, asked, fields = slices[age], {{}}, {{}}
  may_be_further = may_be_further or one.aliases > 0
  for _, id in ipairs(wanted) do
    if not id.member and id.first <= age and age <= id.last then
      if one.threshold and id.score >= one.threshold then
        id.is_beyond = true
      elseif one.count > 0 then
        id.member, id.age = get(age, id.id, id.exact), age
      end
      if one.aliases > 0 then
        asked[#asked + 1], fields[#fields + 1] = id, 'a' .. id.id
      end
    end
  end
  if #asked > 0 then
    for index, digest in ipairs(redis.call('HMGET', labels[age], unpack(fields))) do
      local id, member = asked[index], digest and get(age, digest, exact_of(digest))
      if member and not (id.member and parse(id.member) >= parse(member)) then id.member, id.age = member, age end
    end
  end
end
local function meet(id, packed)
  if not id.member then
    local reply = id.is_beyond and 'n' or 'u'
    return may_be_further and string.upper(reply) or reply
  end
  local member, one = id.member, slices[id.age]
  local time, rows = parse(member)
  local row, output = unpack_bytes('<I4B', packed, 17)
  if sub(member, 9, 16) ~= schema then return 'u' end
  if row >= rows or output >= outputs then return 'x' end
  local entry = entry_of(id.age, 'r' .. sub(member, 1, 8) .. pack('<I4', row))
  local before = entry[1]
  if not before then
    before = string.rep(string.char(0), 9 * outputs)
    one.labelled, one.changed, one.touched = one.labelled + 1, true, true
  end
  local value, at = sub(packed, 9, 16), 9 * output + 1
  local state, reply = string.byte(before, at), 'm'
  if state > 0 then
    if sub(before, at + 1, at + 8) == value then return 'd' end
    if state == 2 then return 'l' end
    reply = 'c'
  elseif now - time >= maturity then
    state, reply = 2, 'j'
    judge(member, row, output, outputs, value)
  else
    state = 1
    id.unripe = time
  end
  entry[1] = sub(before, 1, at - 1) .. string.char(state) .. value .. sub(before, at + 9)
  entry.changed = true
  return reply == 'c' and reply or reply .. pack('<d', math.max(now - time, 0))
end
for index = 13, #ARGV do
  local packed = ARGV[index]
  replies[#replies + 1] = meet(known[sub(packed, 1, 8) .. sub(packed, 22, 23)], packed)
end
local failed, total, replaced = settle(schema)
if failed then return failed end
for _, id in ipairs(wanted) do
  if id.unripe then
    redis.call('ZADD', UNRIPE, text('%.17g', id.unripe), sub(id.member, 1, 8) .. names[id.age + 1])
    redis.call('PEXPIRE', UNRIPE, 2 * ttl)
  end
end
return finish(pack('<dB', total, replaced) .. table.concat(replies))
"""
)
"""Matches labels. Arguments from the eighth on: rows that the writer appended before, rows of a window and time to live
of the ring, the schema, the number of outputs, and the labels."""

MATURE: Final = (
    COMMON
    + JUDGE
    + f"""
local ages, done, schema, more = {{}}, {{}}, nil, 0
for age = 0, {NAMED_SLICES - 1} do ages[names[age + 1]] = age end
local ripe = redis.call('ZRANGEBYSCORE', UNRIPE, '-inf', text('%.17g', now - maturity), 'LIMIT', 0, {MATURE_UNITS})
for _, name in ipairs(ripe) do
  local digest, age = sub(name, 1, 8), ages[sub(name, 9)]
  local member = age and get(age, digest, exact_of(digest))
  if member then
    if units.number >= {MATURE_UNITS} or schema and schema ~= sub(member, 9, 16) then
      more = 1
      break
    end
    schema = sub(member, 9, 16)
    local _, rows = parse(member)
    for row = 0, rows - 1 do
      local entry = entry_of(age, 'r' .. digest .. pack('<I4', row))
      local outputs = entry[1] and #entry[1] / 9 or 0
      for output = 0, outputs - 1 do
        local at = 9 * output + 1
        if string.byte(entry[1], at) == 1 then
          judge(member, row, output, outputs, sub(entry[1], at + 1, at + 8))
          entry[1] = sub(entry[1], 1, at - 1) .. string.char(2) .. sub(entry[1], at + 1)
          entry.changed = true
        end
      end
    end
  end
  done[#done + 1] = name
end
if #ripe == {MATURE_UNITS} then more = 1 end
local failed, total, replaced = settle(schema)
if failed then return failed end
if #done > 0 then redis.call('ZREM', UNRIPE, unpack(done)) end
local unlabelled = 0
if more == 0 then
  local living = tonumber(names[{SLICES}])
  local fields = redis.call('HGETALL', META)
  for index = 1, #fields, 2 do
    local start = tonumber(fields[index])
    if start and start < living then
      local rows, labelled = string.match(fields[index + 1], '^%d+:%d+:(%d+):(%d+):')
      unlabelled = unlabelled + (rows and rows - labelled or 0)
      redis.call('HDEL', META, fields[index])
    end
  end
end
return finish(pack('<dBI4dB', total, replaced, units.number, unlabelled, more))
"""
)
"""Judges what is mature. Arguments from the eighth on: as of `MATCH`, without schema and labels."""

REPLACE: Final = """
local replaced = {}
for index, key in ipairs(KEYS) do
  local wanted = index == 1 and 'string' or index == 2 and 'hash' or index == 3 and 'zset' or index % 2 == 0 and 'zset'
    or 'hash'
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= wanted and index ~= 4 and index ~= 5 then
    redis.call('DEL', key)
    replaced[#replaced + 1] = key
  end
end
return replaced
"""
"""Deletes keys of another type, and returns them. Those of the stream are replaced by an append."""
