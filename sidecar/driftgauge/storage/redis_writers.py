"""The appends of this process to streams in Redis: each is executed once at most, and its outcome can be found out."""

import asyncio
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import cast

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import MAX_ROWS, WRITER_BYTES, pack, stream_key, writers_key
from driftgauge.storage.replaced_keys import ReplacedKeys
from driftgauge.storage.ring import Block, StreamKey

STALE = "STALE"
"""The first word of an error of a call that came after its successor."""

_MAX_WRITERS = 4096
"""Most writers of a stream. A hash with more is not ours."""

REPLACED_STREAM = 1
REPLACED_WRITERS = 2
"""Bits of a reply: which keys were not ours and were replaced."""

# Numbers are doubles in Lua: those from 2^53 on are refused, since their neighbours are lost.
# The hash is written before the stream. If anything after it fails, the hash takes its word back: `sequence - 1` fences
# every earlier append, and lets this one be repeated. XADD is the last command that may be refused: the stream gets its
# time to live before it. Only a new stream gets it after it, by the command that was permitted just before.
# A writer that the hash does not know had appended `before` rows when it was lost. Writers that were silent for the
# time to live are removed when a new one comes, which is rare.
# The hash lives twice as long as a stream, and is renewed by the first attempt in each eighth of that time.
# The usual append reads no entry. The newest one is read only if the id is refused, or the number of rows is unknown.
# An emptied stream keeps its last id and would refuse smaller ones: it is deleted, like one whose newest id is beyond
# all rows, or of another program: ids that Redis makes are times, which as numbers of rows would trim the whole window.
# Blocks of earlier builds begin with `format`.
APPEND = f"""
local stream, writers, me = KEYS[1], KEYS[2], ARGV[1]
local sequence, before, rows = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local counted, capacity, ttl = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local replaced_stream, replaced_writers = 0, 0

local found = redis.pcall('HMGET', writers, me, 'rows')
if found.err then
  if not string.find(found.err, 'WRONGTYPE', 1, true) then return found end
  redis.call('DEL', writers)
  replaced_writers, found = {REPLACED_WRITERS}, {{false, false}}
end
local number = tonumber(found[2] or nil)
if number and not (number >= 0 and number + rows < {MAX_ROWS}) then
  number, replaced_writers = nil, {REPLACED_WRITERS}
end
local last, total, ms, base
if found[1] then
  last, total, ms, base = string.match(found[1], '^(%d+):(%d+):(%d+):(%d+)$')
  last, total, ms, base = tonumber(last), tonumber(total), tonumber(ms), tonumber(base)
end
local renew = true
if last and math.max(last, total, ms, base) < {MAX_ROWS} then
  if sequence == last then return {{total, 0}} end
  if sequence < last then return redis.error_reply('{STALE} append: a later one was executed') end
  renew = math.floor(now * 8 / ttl) ~= math.floor(ms * 8 / ttl)
  total = math.max(total, before)
else
  if found[1] then replaced_writers = {REPLACED_WRITERS} end
  total, base = before, before
  if redis.call('HLEN', writers) > {_MAX_WRITERS} then
    redis.call('DEL', writers)
    replaced_writers, number = {REPLACED_WRITERS}, nil
  end
  local all = redis.call('HGETALL', writers)
  for index = 1, #all, 2 do
    local ms = tonumber(string.match(all[index + 1], '^%d+:%d+:(%d+):%d+$') or nil)
    local is_writer = all[index] ~= 'rows' and all[index] ~= 'looked'
    if is_writer and not (ms and ms > now - ttl) then redis.call('HDEL', writers, all[index]) end
  end
end

local function try(...)
  local reply = redis.pcall(...)
  return reply, type(reply) == 'table' and reply.err or nil
end
local function keep(seq, sum, number)
  local mine = string.format('%.0f:%.0f:%.0f:%.0f', seq, sum, now, base)
  local _, failed
  if number then
    _, failed = try('HSET', writers, me, mine, 'rows', string.format('%.0f', number))
  else
    _, failed = try('HSET', writers, me, mine)
  end
  if renew and not failed then _, failed = try('PEXPIRE', writers, 2 * ttl) end
  return failed
end
if rows == 0 then
  local failed = keep(sequence, total)
  return failed and redis.error_reply(failed) or {{total, replaced_writers}}
end
local sum = total + counted
if sum >= {MAX_ROWS} then return redis.error_reply('ERR a writer has too many rows') end

local function add(number)
  local failed, is_old = keep(sequence, sum, number)
  if failed then return failed end
  is_old, failed = try('PEXPIRE', stream, ttl)
  if failed then return failed end
  local oldest, id = math.max(number - capacity + 1, 0), string.format('%.0f-%.0f', number, now)
  local _
  _, failed = try('XADD', stream, 'MINID', string.format('%.0f', oldest), id,
    'writer', me, 'total', string.format('%.0f', sum), unpack(ARGV, 8))
  if not failed and is_old == 0 then redis.call('PEXPIRE', stream, ttl) end
  return failed
end
local function newest()
  local kind = redis.call('TYPE', stream).ok
  if kind == 'none' then return 0 end
  if kind == 'stream' then
    local entry = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    local id = entry and tonumber(string.match(entry[1], '^%d+'))
    local is_ours = entry and (entry[2][1] == 'writer' or entry[2][1] == 'format')
    if is_ours and id + rows < {MAX_ROWS} then return id end
    if entry then replaced_stream = {REPLACED_STREAM} end
  else
    replaced_stream = {REPLACED_STREAM}
  end
  redis.call('DEL', stream)
  return 0
end
local function is_id_refused(failed)
  return failed and (string.find(failed, 'smaller', 1, true) or string.find(failed, 'exhausted', 1, true))
end
local function find_number_and_add()
  number = math.max(number or 0, newest())
  local failed = add(number + rows)
  if is_id_refused(failed) then
    redis.call('DEL', stream)
    replaced_stream = {REPLACED_STREAM}
    failed = add(number + rows)
  end
  return failed
end

local failed = number and add(number + rows)
if not number or is_id_refused(failed) or failed and string.find(failed, 'WRONGTYPE', 1, true) then
  local done
  done, failed = pcall(find_number_and_add)
  if not done then failed = type(failed) == 'table' and failed.err or tostring(failed) end
end
if failed then
  keep(sequence - 1, total, number)
  return redis.error_reply(failed)
end
return {{sum, replaced_stream + replaced_writers}}
"""
"""Appends a block. It reads `KEYS` and `ARGV` alone, so that it can be the body of a function of another script."""


@dataclass(slots=True)
class _Writer:
    """This process as the writer of one stream.

    Args:
        keys: The keys of the stream and of its writers.
        used: When it last appended, by the clock.
        id: Known to no other process.
        sequence: The number of the last attempt.
        total: Rows that were appended, as far as is known.
        is_unknown: Whether the outcome of the last append is unknown.
        lock: Taken by an append or a settlement: the attempts of a writer come one after the other.
    """

    keys: tuple[str, str]
    used: float
    id: str = field(default_factory=lambda: token_hex(WRITER_BYTES))
    sequence: int = 0
    total: int = 0
    is_unknown: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RedisWriters:
    """Appends blocks to streams.

    Args:
        redis: The connection, which its owner closes.
        capacity_rows: Rows that a window holds, at least 1.
        ttl_milliseconds: A stream expires this long after its last append.
        clock: Monotonic time in seconds.
        on_replaced: Called for each key of another type, or with contents that are not ours, that was deleted.

    Notes:
        An append is one atomic script, O(1) amortised. Its attempts are numbered, and the script refuses a number that
        is not above the newest of this writer: an append that is repeated, or was delayed in a connection, is never
        executed a second time.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        capacity_rows: int,
        ttl_milliseconds: int,
        clock: Callable[[], float],
        on_replaced: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._limits = (capacity_rows, ttl_milliseconds)
        self._longest_silence = ttl_milliseconds / 2000
        self._clock = clock
        self._replaced_keys = ReplacedKeys("rows", on_replaced)
        self._script = redis.client.register_script(APPEND)
        self._writers: dict[StreamKey, _Writer] = {}

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Append a block; find out first what became of an append before, if that is unknown.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        writer = self._writers.get(stream)
        if writer is None:
            writer = self._writers[stream] = _Writer((stream_key(stream), writers_key(stream)), self._clock())
        async with writer.lock:
            await self._settle(writer)
            self._renew(writer)
            writer.is_unknown = True
            writer.total = await self._attempt(writer, (len(block.rows), block.counted_rows), pack(block))
            writer.is_unknown = False

    async def settle(self, stream: StreamKey) -> bool:
        """Find out whether the last append was executed, if that is unknown; from then on it never will be.

        Raises:
            StorageError: Redis is away, slow or refuses: the outcome stays unknown.
        """
        writer = self._writers.get(stream)
        if writer is None:
            return False
        async with writer.lock:
            return await self._settle(writer)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the streams of models that are not in `models`, unless an outcome is unknown."""
        for stream, writer in list(self._writers.items()):
            if stream.model not in models and not writer.is_unknown and not writer.lock.locked():
                del self._writers[stream]

    async def _settle(self, writer: _Writer) -> bool:
        if not writer.is_unknown:
            return False
        before = writer.total
        writer.total = await self._attempt(writer, (0, 0), [])
        writer.is_unknown = False
        return writer.total > before

    def _renew(self, writer: _Writer) -> None:
        """Give a writer that was silent for long a new id: its old one may be removed from the hash and the ledgers."""
        now = self._clock()
        if now - writer.used > self._longest_silence:
            _start_again(writer)
        writer.used = now

    async def _attempt(self, writer: _Writer, rows: tuple[int, int], fields: Sequence[str | bytes]) -> int:
        """Run the script with the next number.

        Args:
            writer: The writer.
            rows: How many rows a block has, and how many it adds to the total; none to settle.
            fields: The fields of its entry.

        Returns:
            How many rows the writer has appended.
        """
        writer.sequence += 1
        arguments = [writer.id, writer.sequence, writer.total, *rows, *self._limits, *fields]
        attempts = 0

        async def run() -> list[int]:
            nonlocal attempts
            attempts += 1
            return cast("list[int]", await self._script(keys=writer.keys, args=arguments))

        try:
            total, replaced = await self._redis.run(
                Call.APPEND, "append rows", run, key=writer.keys[0], repeatable=True
            )
        except StorageError as error:
            if error.may_be_done or attempts > 1:  # the first attempt may have been executed
                error.may_be_done = True
                raise
            writer.is_unknown = writer.is_unknown and not fields
            if STALE in str(error):
                _start_again(writer)
            raise
        if replaced:
            for key, bit in zip(writer.keys, (REPLACED_STREAM, REPLACED_WRITERS), strict=True):
                if replaced & bit:
                    self._replaced_keys.add(key)
        return total


def _start_again(writer: _Writer) -> None:
    writer.id, writer.sequence, writer.total, writer.is_unknown = token_hex(WRITER_BYTES), 0, 0, False
