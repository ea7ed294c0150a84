"""The ring in Redis: its rows survive a restart and are shared by replicas. `redis_layout` defines their format."""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Self, cast

from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import KEY_PATTERN, is_malformed, pack, parse_key, stream_key, unpack
from driftgauge.storage.ring import Block, StreamKey, Window, assemble, is_usable
from driftgauge.storage.silent_revisions import silent_revisions, with_siblings

_log = logging.getLogger(__name__)

# The newest id contains the number of the newest row. So XADD can trim by MINID, without reading other entries.
# An emptied stream keeps its last id and would refuse smaller ones: it is deleted, and its rows count from 1 again.
_APPEND = """
local key, capacity, ttl, rows = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
if not newest then redis.call('DEL', key) end
local total = rows + (newest and string.match(newest[1], '%d+') or 0)
local now = redis.call('TIME')
local id = string.format('%.0f-%.0f', total, now[1] * 1000 + math.floor(now[2] / 1000))
local oldest = string.format('%.0f', math.max(total - capacity + 1, 0))
redis.call('XADD', key, 'MINID', oldest, id, unpack(ARGV, 4))
redis.call('PEXPIRE', key, ttl)
"""
_SCAN_KEYS = 500
"""Keys that one step of SCAN visits: some hundred microseconds of the server's time, and 5 ms to parse their names."""

_MAX_STREAMS = 20_000
"""Most keys of streams that are listed: 0.2 s of work."""

_NOTHING = (0, 0)  # below every id: rows are numbered from 1


@dataclass(frozen=True, slots=True, eq=False)
class _StreamEntry:
    """One stream entry.

    Args:
        id: The number of the block's last row, and the server's time in milliseconds.
        block: `None` if it cannot be decoded.
    """

    id: tuple[int, int]
    block: Block | None

    @classmethod
    def parse(cls, raw_id: bytes, fields: dict[bytes, bytes]) -> Self:
        """The entry of a reply to XRANGE."""
        last_row, _, ms = raw_id.partition(b"-")
        return cls((int(last_row), int(ms)), unpack(fields))


class RedisRing:
    """A `RingBuffer` of one Redis stream per stream of rows; safe with many writers and readers.

    Args:
        redis: The connection, which its owner closes. Each command has one key, so the client of a cluster works too.
        capacity_rows: Rows that a window holds, at least 1. A stream keeps its newest `capacity_rows`
            rows of all schemas together, in whole blocks, so it may have up to one block minus a row more.
        ttl_seconds: A stream expires this long after its last append.
        page_entries: Entries of one XRANGE, at least 2: one reply must not keep the server busy for long.
        on_skipped: Called with the number of keys with malformed names, when streams are listed.

    Notes:
        An append is one atomic script, O(1) amortised, that reads only the newest entry.
        A reader keeps the entries that it has read (again `capacity_rows` rows and a block), and requests newer ones.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        capacity_rows: int,
        ttl_seconds: float,
        page_entries: int = 128,
        on_skipped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._redis = redis
        self._capacity_rows = capacity_rows
        self._ttl_milliseconds = round(ttl_seconds * 1000)
        self._page_entries = page_entries
        self._on_skipped = on_skipped
        self._append = redis.client.register_script(_APPEND)
        self._seen: dict[StreamKey, list[_StreamEntry]] = {}
        self._warned: set[StreamKey] = set()

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a block at the newest end, and remove entries that only contain surplus rows.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the block may have been added.
        """
        arguments = [self._capacity_rows, self._ttl_milliseconds, len(block.rows), *pack(block)]
        async with self._redis.call("append rows", Call.APPEND):
            await self._append(keys=[stream_key(stream)], args=arguments)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("read rows", Call.READ):
            last_read_id, entries = await self._catch_up(stream)
        self._seen[stream] = entries
        skipped = sum(entry.id > last_read_id and not is_usable(entry.block, schema, width) for entry in entries)
        self._warn_of_unreadable(stream, sum(entry.block is None for entry in entries))
        numbered = ((entry.id[0], entry.block) for entry in entries)
        return assemble(numbered, schema, width, self._capacity_rows, skipped)

    async def streams(self) -> list[StreamKey]:
        """The streams that contain rows, of every process that shares this Redis; malformed keys are skipped.

        There are at most 20,000; a shared Redis may have keys of any number of invented models. Those of a revision
        without rows for a day, while another revision of its model had some, are left out.

        Raises:
            StorageError: Redis is away, slow or refuses, or has too many keys to visit them all within the time limit.
        """
        async with self._redis.call("list streams", Call.LIST):
            streams: list[StreamKey] = []
            malformed: list[bytes] = []
            async for key in self._redis.client.scan_iter(match=KEY_PATTERN, count=_SCAN_KEYS):
                stream = parse_key(key)
                if stream is not None:
                    streams.append(stream)
                elif is_malformed(key):
                    malformed.append(key)
                if len(streams) + len(malformed) >= _MAX_STREAMS:
                    _log.warning("Redis has more than %d streams of rows; the others are not restored", _MAX_STREAMS)
                    break
        if malformed:
            # as bytes, since such a name may be no text
            _log.warning("%d keys in Redis have malformed names and are skipped: %.100r", len(malformed), malformed[0])
            self._on_skipped(len(malformed))
        return await self._without_silent(streams)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what was read of models that are not in `models`. Their rows in Redis expire by themselves."""
        for stream in [stream for stream in self._seen if stream.model not in models]:
            del self._seen[stream]
            self._warned.discard(stream)

    async def ping(self) -> None:
        """Check that Redis replies.

        Raises:
            StorageError: It does not.
        """
        async with self._redis.call("respond", Call.PING):
            await self._redis.client.ping()

    def _warn_of_unreadable(self, stream: StreamKey, blocks: int) -> None:
        """Log once for each stream that some of its blocks have another format or are damaged."""
        if blocks and stream not in self._warned:
            self._warned.add(stream)
            text = "%d blocks of %ss of %s in Redis are skipped: they are of another version of driftgauge, or damaged"
            _log.warning(text, blocks, stream.kind, stream.model)

    async def _without_silent(self, streams: list[StreamKey]) -> list[StreamKey]:
        """The streams without those of revisions that others have replaced."""
        several = with_siblings(streams)
        if not several:
            return streams
        pipeline = self._redis.client.pipeline(transaction=False)
        for stream in several:
            pipeline.pttl(stream_key(stream))
        async with self._redis.call("list streams", Call.LIST):
            left = await pipeline.execute()
        silent = silent_revisions(dict(zip(several, left, strict=True)))
        return [stream for stream in streams if stream not in silent]

    async def _catch_up(self, stream: StreamKey) -> tuple[tuple[int, int], list[_StreamEntry]]:
        """Read the entries that are newer than those of the last read.

        Returns:
            The newest id of the last read, and all entries of the stream.

        Notes:
            Each page starts with the newest entry that is known. If that entry is missing, the stream was deleted,
            flushed or lost with its server, or a whole window was appended since: all known entries are stale, so the
            loop starts again from the oldest entry.
        """
        key, seen = stream_key(stream), self._seen.get(stream, [])
        last_read_id = _newest(seen)
        while True:
            page = await self._read_page(key, seen)
            if seen and (not page or page[0].id != _newest(seen)):
                last_read_id, seen = _NOTHING, []
                continue
            seen = self._within_capacity([*seen[:-1], *page])
            if len(page) < self._page_entries:
                return last_read_id, seen

    async def _read_page(self, key: str, seen: list[_StreamEntry]) -> list[_StreamEntry]:
        oldest = "{}-{}".format(*_newest(seen))
        response = await self._redis.client.xrange(key, min=oldest, count=self._page_entries)
        page = cast("list[tuple[bytes, dict[bytes, bytes]]]", response)  # the client decodes nothing
        return [_StreamEntry.parse(raw_id, fields) for raw_id, fields in page]

    def _within_capacity(self, entries: list[_StreamEntry]) -> list[_StreamEntry]:
        """The entries without those that a writer has trimmed since they were read."""
        surplus = _newest(entries)[0] - self._capacity_rows
        return [entry for entry in entries if entry.id[0] > surplus]


def _newest(entries: list[_StreamEntry]) -> tuple[int, int]:
    return entries[-1].id if entries else _NOTHING
