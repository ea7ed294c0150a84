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

The value of a field has one of three lengths. A time is an IEEE 754 binary64, seconds since the epoch; the owner is the
process that put the half, 8 bytes:

    17 bytes    a half waits: its kind, `q` for the request or `r` for the response, its time and its owner
    16 bytes    the newest completed pair: the times of its request and its response
    33 bytes    both

A half that waits and is completed or replaced by another process is reported to its owner. The reports are in hashes, a
field for each owner, until the owner's next call, whose reply contains them:

    driftgauge:pairs:{<tag>}:settled:<n>            for each half its field, its kind and its time, 21 bytes

n is the hour modulo 2, and a hash expires shortly before its name is used again. So an owner may be up to 54 minutes
late, however soon the pairs themselves expire, and knows of each half whether another process has counted it.

A script replies for each half `f` if it is the first, `p` and the older one's time if it is and has replaced an older
one, `c` and the time of the other half if it has completed its pair, or `d` if it is a duplicate. Each call of a
process has a number that grows. The string `driftgauge:pairs:{<tag>}:last:<owner>` has the number of the owner's last
call and its reply, for two hours, so that a call may be repeated after an error: it is executed once, and a late one is
not executed after its successor.
"""

import struct
from collections.abc import Iterator
from hashlib import blake2b

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult

OWNER_BYTES = 8
"""The length of an owner's name."""

SLOTS = 4
"""Slots in which a pair is looked for: the current one, and three before it."""

_TAGS = 64
_PARTS = tuple(f"{part:02x}" for part in range(256))
_LETTERS = {Kind.REQUEST: b"q", Kind.RESPONSE: b"r"}
_TIME = struct.Struct("<d")
_COMPLETED = b"c"
_REPLACING = b"p"
_RESULTS = {b"f": PutResult(Arrival.FIRST), b"d": PutResult(Arrival.DUPLICATE)}
_OPPOSITE = {Kind.REQUEST: Kind.RESPONSE, Kind.RESPONSE: Kind.REQUEST}
_FIELD_BYTES = 12
_ID_BYTES = _FIELD_BYTES + 1 + _TIME.size

_COMMON = """
local number, slot_ms, owner = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local halves, hour_ms = (#KEYS - 3) / 8, 3600000
local sub, replaced, lengths = string.sub, {}, {[16] = true, [17] = true, [33] = true}
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
if last_number == tonumber(number) then
  local second = string.find(last, ':', colon + 1, true)
  local start = second + 1 + tonumber(sub(last, colon + 1, second - 1))
  return {replaced, sub(last, start), sub(last, second + 1, start - 1)}
end
if last_number > tonumber(number) then error('a later call was executed') end
local clock = redis.call('TIME')
local now_ms = clock[1] * 1000 + clock[2] / 1000
local slot, hour = math.floor(now_ms / slot_ms), math.floor(now_ms / hour_ms)
-- The keys of a half: for each slot modulo 4 the hash of all pairs, then that of its part.
local function key_of(half, age, level)
  return KEYS[3 + 8 * (half - 1) + 2 * ((slot - age) % 4) + level]
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
  return sub(value, 1, 17), sub(value, 18)
end
-- Notes for its owner that a half that waited is completed or replaced; the caller knows it from the reply.
local notes = {}
local function note(field, waiting)
  local its_owner = sub(waiting, 10)
  if its_owner ~= owner then notes[its_owner] = (notes[its_owner] or '') .. field .. sub(waiting, 1, 9) end
end
-- Writes these reports where their owners find them.
local function write_reports()
  local key = KEYS[2 + hour % 2]
  for its_owner, settled in pairs(notes) do
    redis.call('HSET', key, its_owner, (get('HGET', key, its_owner) or '') .. settled)
    if redis.call('PTTL', key) < 0 then
      redis.call('PEXPIREAT', key, string.format('%.0f', (hour + 1.9) * hour_ms))
    end
  end
end
-- Takes what other processes have reported to this one.
local function take_reports()
  local found = ''
  for index = 2, 3 do
    local value = get('HGET', KEYS[index], owner)
    if value then
      found = found .. value
      redis.call('HDEL', KEYS[index], owner)
    end
  end
  return found
end
local function finish(reply)
  write_reports()
  local settled = take_reports()
  redis.call('SET', KEYS[1], number .. ':' .. #settled .. ':' .. settled .. reply, 'PX', 2 * hour_ms)
  return {replaced, reply, settled}
end
"""

PUT = (
    _COMMON
    + """
local function put(value, kind, time)
  local waiting, completed = split(value)
  local own = kind == 'q' and sub(completed, 1, 8) or sub(completed, 9)
  if sub(waiting, 1, 9) == kind .. time or own == time then return 'd' end
  if waiting == '' then return 'f', kind .. time .. owner .. completed end
  local other = sub(waiting, 2, 9)
  if sub(waiting, 1, 1) == kind then return 'p' .. other, kind .. time .. owner .. completed, waiting end
  return 'c' .. other, kind == 'q' and time .. other or other .. time, waiting
end
local replies = {}
for half = 1, halves do
  local field, kind, time = unpack(ARGV, 3 * half + 1, 3 * half + 3)
  local value, found, age = find(half, field)
  local reply, changed, settled = put(value, kind, time)
  if settled then note(field, settled) end
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
"""Puts halves of one hash tag; none, to take the reports alone.

Keys: those of `tag_keys`, then those of each half. Arguments: the number of the call, the length of a slot in
milliseconds, the owner, then those of each half.
"""

REMOVE = (
    _COMMON
    + """
for half = 1, halves do
  local field, kind, time = unpack(ARGV, 3 * half + 1, 3 * half + 3)
  local value, key = find(half, field)
  local waiting, completed = split(value)
  if waiting == kind .. time .. owner then
    if completed == '' then redis.call('HDEL', key, field) else redis.call('HSET', key, field, completed) end
  end
end
return finish('')
"""
)
"""Removes those halves of one hash tag that wait and belong to the owner. Keys and arguments are those of `PUT`."""


def slot_milliseconds(ttl_seconds: float) -> int:
    """The length of a slot, where a half waits for `ttl_seconds`."""
    return max(round(1000 * ttl_seconds / 2), 1)


def tag_keys(tag: int, owner: bytes) -> list[str]:
    """The keys of a hash tag: the owner's last call, and the reports of even and of odd hours."""
    prefix = f"driftgauge:pairs:{{{tag:02}}}"
    return [f"{prefix}:last:{owner.hex()}", f"{prefix}:settled:0", f"{prefix}:settled:1"]


def tag_of(half: Half) -> int:
    """The number of the hash tag of a half."""
    return _digest(half.key)[0] % _TAGS


def place(half: Half) -> tuple[int, list[str], list[bytes]]:
    """The number of the hash tag of a half, its keys and its arguments."""
    digest = _digest(half.key)
    tag, part = digest[0] % _TAGS, _PARTS[digest[1]]
    keys = [f"driftgauge:pairs:{{{tag:02}}}:{name}:{slot}" for slot in range(SLOTS) for name in (part[0], part)]
    return tag, keys, [digest[2:], _LETTERS[half.kind], _TIME.pack(half.time)]


def half_id(half: Half) -> bytes:
    """What identifies a half in a report: its field, kind and time."""
    return _id(half, half.kind, half.time)


def settled_by(half: Half, result: PutResult) -> bytes | None:
    """The `half_id` of the half that waited until this one was put, which completed or replaced it."""
    if result.other_time is None:
        return None
    return _id(half, half.kind if result.replaced else _OPPOSITE[half.kind], result.other_time)


def _id(half: Half, kind: Kind, time: float) -> bytes:
    return _digest(half.key)[2:] + _LETTERS[kind] + _TIME.pack(time)


def read_reports(reports: bytes) -> Iterator[bytes]:
    """The `half_id` of each half that another process has completed or replaced."""
    for start in range(0, len(reports), _ID_BYTES):
        yield reports[start : start + _ID_BYTES]


def read_replies(replies: bytes) -> Iterator[PutResult]:
    """The result of each half, as `PUT` replies."""
    position = 0
    while position < len(replies):
        letter = replies[position : position + 1]
        position += 1
        if letter in _RESULTS:
            yield _RESULTS[letter]
            continue
        time = _TIME.unpack_from(replies, position)[0]
        position += _TIME.size
        arrival = Arrival.COMPLETED if letter == _COMPLETED else Arrival.FIRST
        yield PutResult(arrival, time, replaced=letter == _REPLACING)


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=14).digest()
