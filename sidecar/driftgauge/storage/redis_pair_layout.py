"""The format of pairs in Redis: many pairs share one small hash, which Redis keeps in a compact form.

The digest of a pair's key, BLAKE2b of 14 bytes, says where the pair is: byte 0 chooses one of 64 hash tags, so one of
64 places in a cluster; byte 1 is the number of its part, two hexadecimal digits; the other 12 bytes are the field. For
each part there are two hashes:

    driftgauge:pairs:{<tag>}:<first digit>:<n>      all pairs of the first digit
    driftgauge:pairs:{<tag>}:<both digits>:<n>      the pairs that come when the first hash has 128 fields

Redis keeps a hash as a listpack, some 40 bytes for each pair, while it has at most 128 fields
(`hash-max-listpack-entries`). Two sizes of hashes do it for 1 pair a second as for 10,000.

Time is divided into slots of half the time to live of a half, by Redis's own clock, and n is the slot's number modulo
4. A change is written to the hash of the current slot, and looked for in all four. A hash expires at the end of the
third slot after its own, less a tenth: shortly before its name is used again. So a pair lives for 1.45 to 1.95 times
the time to live of a half from its last change.

The value of a field has one of four lengths. A time is an IEEE 754 binary64, seconds since the epoch:

    empty       a half was removed, since it was counted as unpaired
    9 bytes     a half waits: its kind, `q` for the request or `r` for the response, and its time
    16 bytes    the newest completed pair: the times of its request and its response
    25 bytes    both

A script replies for each half `f` if it is the first, `p` if it is and has replaced an older one, `c` and the time of
the other half if it has completed its pair, or `d` if it is a duplicate. Each call of a process has a number that
grows. The string `driftgauge:pairs:{<tag>}:last:<writer>` has the number of the writer's last call and its reply, so
that a call may be repeated after an error: it is executed once, and a late one is not executed after its successor.
"""

import struct
from collections.abc import Iterator
from hashlib import blake2b

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult

SLOTS = 4
"""Slots in which a pair is looked for: the current one, and three before it."""

_TAGS = 64
_PARTS = tuple(f"{part:02x}" for part in range(256))
_LETTERS = {Kind.REQUEST: b"q", Kind.RESPONSE: b"r"}
_TIME = struct.Struct("<d")
_COMPLETED = b"c"
_RESULTS = {
    b"f": PutResult(Arrival.FIRST),
    b"p": PutResult(Arrival.FIRST, replaced=True),
    b"d": PutResult(Arrival.DUPLICATE),
}

_COMMON = """
local number, slot_ms = ARGV[1], tonumber(ARGV[2])
local sub, replaced, lengths = string.sub, {}, {[0] = true, [9] = true, [16] = true, [25] = true}
-- Calls `redis.pcall`. A key of another type is deleted, and counts as missing.
local function get(command, key, ...)
  local value = redis.pcall(command, key, ...)
  if type(value) ~= 'table' then return value end
  if not string.find(value.err, 'WRONGTYPE', 1, true) then error(value.err) end
  redis.call('DEL', key)
  replaced[#replaced + 1] = key
  return false
end
local last = get('GET', KEYS[1])
local colon = last and string.find(last, ':', 1, true)
local last_number = colon and tonumber(sub(last, 1, colon - 1)) or 0
if last_number == tonumber(number) then return {replaced, sub(last, colon + 1)} end
if last_number > tonumber(number) then error('a later call was executed') end
local clock = redis.call('TIME')
local slot = math.floor((clock[1] * 1000 + clock[2] / 1000) / slot_ms)
-- The keys of a half: for each slot modulo 4 the hash of all pairs, then that of its part.
local function key_of(half, age, level)
  return KEYS[1 + 8 * (half - 1) + 2 * ((slot - age) % 4) + level]
end
-- The value of a pair, and where it is. A value of another length does not count.
local function find(half, field)
  for age = 0, 3 do
    for level = 1, 2 do
      local key = key_of(half, age, level)
      local value = get('HGET', key, field)
      if value and lengths[#value] then return value, key, age end
    end
  end
  return ''
end
-- The half that waits, and the completed pair; each may be empty.
local function split(value)
  if #value == 16 then return '', value end
  return sub(value, 1, 9), sub(value, 10)
end
local function finish(reply)
  redis.call('SET', KEYS[1], number .. ':' .. reply, 'PX', 4 * slot_ms)
  return {replaced, reply}
end
"""

PUT = (
    _COMMON
    + """
local function put(value, kind, time)
  local waiting, completed = split(value)
  local own = kind == 'q' and sub(completed, 1, 8) or sub(completed, 9)
  if waiting == kind .. time or own == time then return 'd' end
  if waiting ~= '' and sub(waiting, 1, 1) ~= kind then
    local other = sub(waiting, 2)
    return 'c' .. other, kind == 'q' and time .. other or other .. time
  end
  return waiting ~= '' and 'p' or 'f', kind .. time .. completed
end
local replies = {}
for half = 1, (#KEYS - 1) / 8 do
  local field, kind, time = unpack(ARGV, 3 * half + 1, 3 * half + 3)
  local value, found, age = find(half, field)
  local reply, changed = put(value, kind, time)
  if changed then
    local key = found
    if age ~= 0 then
      key = key_of(half, 0, 1)
      if redis.call('HLEN', key) >= 128 then key = key_of(half, 0, 2) end
    end
    redis.call('HSET', key, field, changed)
    if found and found ~= key then redis.call('HDEL', found, field) end
    if redis.call('PTTL', key) < 0 then
      redis.call('PEXPIREAT', key, string.format('%.0f', (slot + 3.9) * slot_ms))
    end
  end
  replies[half] = reply
end
return finish(table.concat(replies))
"""
)
"""Puts halves of one hash tag.

Keys: that of the writer's last call, then those of each half. Arguments: the number of the call, the length of a slot
in milliseconds, an argument that `UNPAIRED` has, then those of each half.
"""

UNPAIRED = (
    _COMMON
    + """
local alone_or_unknown, remove = 0, ARGV[3] == '1'
for half = 1, (#KEYS - 1) / 8 do
  local field, kind, time = unpack(ARGV, 3 * half + 1, 3 * half + 3)
  local value, key = find(half, field)
  local waiting, completed = split(value)
  local alone = waiting == kind .. time
  if alone or not key then alone_or_unknown = alone_or_unknown + 1 end
  if alone and remove then redis.call('HSET', key, field, completed) end
end
return finish(tostring(alone_or_unknown))
"""
)
"""Counts halves of one hash tag that are alone or unknown. The third argument is `1` to remove those that are alone."""


def slot_milliseconds(ttl_seconds: float) -> int:
    """The length of a slot, where a half waits for `ttl_seconds`."""
    return max(round(1000 * ttl_seconds / 2), 1)


def last_call_key(tag: int, writer: str) -> str:
    """The key of a writer's last call for a hash tag."""
    return f"driftgauge:pairs:{{{tag:02}}}:last:{writer}"


def place(half: Half) -> tuple[int, list[str], list[bytes]]:
    """The number of the hash tag of a half, its keys and its arguments."""
    digest = blake2b(half.key.encode(), digest_size=14).digest()
    tag, part = digest[0] % _TAGS, _PARTS[digest[1]]
    keys = [f"driftgauge:pairs:{{{tag:02}}}:{name}:{slot}" for slot in range(SLOTS) for name in (part[0], part)]
    return tag, keys, [digest[2:], _LETTERS[half.kind], _TIME.pack(half.time)]


def read_replies(replies: bytes) -> Iterator[PutResult]:
    """The result of each half, as `PUT` replies."""
    position = 0
    while position < len(replies):
        letter = replies[position : position + 1]
        position += 1
        if letter == _COMPLETED:
            yield PutResult(Arrival.COMPLETED, _TIME.unpack_from(replies, position)[0])
            position += _TIME.size
        else:
            yield _RESULTS[letter]
