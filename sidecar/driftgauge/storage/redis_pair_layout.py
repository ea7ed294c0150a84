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

The value of a field has one of three lengths:

    12 bytes    a half waits: its kind, `q` for the request or `r` for the response, and its record
    22 bytes    the newest completed pair: the record of the request, then that of the response
    34 bytes    both

A record is what a put replied, one byte, see below; the mark of the half, 2 bytes; its time, an IEEE 754 binary64, as
seconds since the epoch. A put replies `f` for the first half, `p` for one that replaced an older one, `c` for one that
completed its pair, followed by the time of the other half, or `d` for a duplicate. The record repeats the reply if the
same half is put again after an error.
"""

import struct
from hashlib import blake2b

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult

SLOTS = 4
"""Slots in which a pair is looked for: the current one, and three before it."""

KEYS_PER_HALF = 2 * SLOTS
ARGUMENTS_PER_HALF = 4

_TAGS = 64
_PARTS = tuple(f"{part:02x}" for part in range(256))
_LETTERS = {Kind.REQUEST: b"q", Kind.RESPONSE: b"r"}
_TIME = struct.Struct("<d")
_MARK = struct.Struct("<H")
_ARRIVALS = {
    b"f": PutResult(Arrival.FIRST),
    b"p": PutResult(Arrival.FIRST, replaced=True),
    b"d": PutResult(Arrival.DUPLICATE),
}

_COMMON = """
local slot_ms = tonumber(ARGV[1])
local clock = redis.call('TIME')
local slot = math.floor((clock[1] * 1000 + clock[2] / 1000) / slot_ms)
local sub, replaced = string.sub, {}
-- The keys of a half: for each slot modulo 4 the hash of all pairs, then that of its part.
local function key_of(half, age, level)
  return KEYS[8 * (half - 1) + 2 * ((slot - age) % 4) + level]
end
-- The value of a pair and where it is. A key of another type is deleted, a value of another length does not count.
local function find(half, field)
  for age = 0, 3 do
    for level = 1, 2 do
      local key = key_of(half, age, level)
      local value = redis.pcall('HGET', key, field)
      if type(value) == 'table' then
        if not string.find(value.err, 'WRONGTYPE', 1, true) then error(value.err) end
        redis.call('DEL', key)
        replaced[#replaced + 1] = key
      elseif value and (#value == 12 or #value == 22 or #value == 34) then
        return value, key, age
      end
    end
  end
  return ''
end
-- The half that waits, and the completed pair; each may be empty.
local function split(value)
  if #value == 22 then return '', value end
  return sub(value, 1, 12), sub(value, 13)
end
"""

PUT = (
    _COMMON
    + """
local again = ARGV[2] == '1'
local function put(value, kind, mark, time)
  local waiting, completed = split(value)
  local own, other = sub(completed, 1, 11), sub(completed, 12)
  if kind == 'r' then own, other = other, own end
  local alone = sub(waiting, 1, 1) == kind and sub(waiting, 2) or ''
  local known = sub(alone, 4) == time and alone or sub(own, 4) == time and own
  if known then
    if not again or sub(known, 2, 3) ~= mark then return 'd' end
    local reply = sub(known, 1, 1)
    return reply == 'c' and 'c' .. sub(other, 4) or reply
  end
  if waiting ~= '' and alone == '' then
    local mine, others = 'c' .. mark .. time, sub(waiting, 2)
    return 'c' .. sub(others, 4), kind == 'q' and mine .. others or others .. mine
  end
  local reply = alone ~= '' and 'p' or 'f'
  return reply, kind .. reply .. mark .. time .. completed
end
local replies = {}
for half = 1, #KEYS / 8 do
  local field, kind, mark, time = unpack(ARGV, 4 * half - 1, 4 * half + 2)
  local value, found, age = find(half, field)
  local reply, changed = put(value, kind, mark, time)
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
return {replaced, replies}
"""
)
"""Puts halves of one hash tag. Arguments: the length of a slot in ms, `1` if the halves may have been put before."""

UNPAIRED = (
    _COMMON
    + """
local remove, number = ARGV[2] == '1', 0
for half = 1, #KEYS / 8 do
  local field, kind, mark, time = unpack(ARGV, 4 * half - 1, 4 * half + 2)
  local value, key = find(half, field)
  local waiting, completed = split(value)
  local alone = sub(waiting, 1, 1) == kind and sub(waiting, 5) == time
  if value == '' or alone then number = number + 1 end
  if alone and remove then
    if completed == '' then redis.call('HDEL', key, field) else redis.call('HSET', key, field, completed) end
  end
end
return {replaced, number}
"""
)
"""Counts halves of one hash tag that are alone or unknown. Arguments: the length of a slot, `1` to remove them."""


def slot_milliseconds(ttl_seconds: float) -> int:
    """The length of a slot, where a half waits for `ttl_seconds`."""
    return max(round(1000 * ttl_seconds / 2), 1)


def place(half: Half) -> tuple[int, list[str], list[bytes]]:
    """The number of the hash tag of a half, its keys and its arguments."""
    digest = blake2b(half.key.encode(), digest_size=14).digest()
    tag, part = digest[0] % _TAGS, _PARTS[digest[1]]
    keys = [f"driftgauge:pairs:{{{tag:02}}}:{name}:{slot}" for slot in range(SLOTS) for name in (part[0], part)]
    return tag, keys, [digest[2:], _LETTERS[half.kind], _MARK.pack(half.mark), _TIME.pack(half.time)]


def read_reply(reply: bytes) -> PutResult:
    """The result of one half, as `PUT` replies."""
    simple = _ARRIVALS.get(reply)
    if simple is not None:
        return simple
    return PutResult(Arrival.COMPLETED, _TIME.unpack_from(reply, 1)[0])
