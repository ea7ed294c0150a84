"""The ring in Redis: its rows survive a restart and are shared by replicas. `redis_layout` defines their format."""

import logging
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Self, cast

from redis.exceptions import ResponseError

from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import (
    KEY_PATTERN,
    MAX_ROWS,
    is_malformed,
    parse_key,
    parse_origin,
    parse_writers,
    stream_key,
    unpack,
    writers_key,
)
from driftgauge.storage.redis_writers import RedisWriters
from driftgauge.storage.ring import Appended, Block, StreamKey, Window, WriterTotals, assemble, is_usable
from driftgauge.storage.silent_revisions import silent_revisions, with_siblings

_log = logging.getLogger(__name__)

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
        writer: Who appended it.
        total: How many rows this writer had appended then.
    """

    id: tuple[int, int]
    block: Block | None
    writer: str
    total: int

    @classmethod
    def parse(cls, raw_id: bytes, fields: dict[bytes, bytes]) -> Self:
        """The entry of a reply to XRANGE."""
        last_row, _, ms = raw_id.partition(b"-")
        block, origin = unpack(fields), parse_origin(fields)
        if block is None or origin is None or origin[1] < len(block.rows) or int(last_row) >= MAX_ROWS:
            return cls((int(last_row), int(ms)), None, "", 0)
        return cls((int(last_row), int(ms)), block, *origin)


class RedisRing:
    """A `RingBuffer` of one Redis stream per stream of rows; safe with many writers and readers.

    Args:
        redis: The connection, which its owner closes. The keys of a call lie in one slot of a cluster.
        capacity_rows: Rows that a window holds, at least 1. A stream keeps its newest `capacity_rows`
            rows of all schemas together, in whole blocks, so it may have up to one block minus a row more.
        ttl_seconds: A stream expires this long after its last append.
        page_entries: Entries of one XRANGE, at least 2: one reply must not keep the server busy for long.
        on_skipped: Called with the number of keys with malformed names, when streams are listed.
        on_replaced: Called for each key that was not ours and was deleted by an append.

    Notes:
        A reader keeps the entries that it has read (again `capacity_rows` rows and a block), and requests newer ones.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        capacity_rows: int,
        ttl_seconds: float,
        page_entries: int = 128,
        on_skipped: Callable[[int], None] = lambda _: None,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._capacity_rows = capacity_rows
        self._page_entries = page_entries
        self._on_skipped = on_skipped
        self._writers = RedisWriters(redis, capacity_rows, round(ttl_seconds * 1000), time.monotonic, on_replaced)
        self._seen: dict[StreamKey, list[_StreamEntry]] = {}
        self._warned: set[StreamKey] = set()

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a block at the newest end, and remove entries that only contain surplus rows.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        await self._writers.append(stream, block)

    async def settle(self, stream: StreamKey) -> bool:
        """Find out whether the last append of a stream was executed, if that is unknown.

        Raises:
            StorageError: Redis is away, slow or refuses: it stays unknown.
        """
        return await self._writers.settle(stream)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        last_read_id, entries, known = await self._redis.run(
            Call.READ, "read rows", lambda: self._catch_up(stream), repeatable=True
        )
        self._seen[stream] = entries
        skipped = sum(entry.id > last_read_id and not is_usable(entry.block, schema, width) for entry in entries)
        self._warn_of_unreadable(stream, sum(entry.block is None for entry in entries))
        blocks = (Appended(entry.id[0], entry.block, entry.writer, entry.total) for entry in entries)
        return assemble(blocks, schema, width, self._capacity_rows, skipped, known)

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
            keys = self._redis.client.scan_iter(match=KEY_PATTERN, count=_SCAN_KEYS, _type="stream")
            async for key in keys:
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
        self._writers.retain(models)
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

    async def _catch_up(self, stream: StreamKey) -> tuple[tuple[int, int], list[_StreamEntry], WriterTotals]:
        """Read the entries that are newer than those of the last read.

        Returns:
            The newest id of the last read, all entries of the stream, and what is known of its writers.

        Notes:
            The writers are read before the entries: a row that is appended in between is then in the window or in
            neither, and no writer's total has a row that the next window has as a new one.
            Each page starts with the newest entry that is known. If that entry is missing, the stream was deleted,
            flushed or lost with its server, or a whole window was appended since: all known entries are stale, so the
            loop starts again from the oldest entry.
        """
        seen, known = self._seen.get(stream, []), None
        last_read_id = _newest(seen)
        while True:
            page, writers = await self._read_page(stream, seen)
            known = writers if known is None else known
            if seen and (not page or page[0].id != _newest(seen)):
                last_read_id, seen = _NOTHING, []
                continue
            seen = self._within_capacity([*seen[:-1], *page])
            if len(page) < self._page_entries:
                return last_read_id, seen, known

    async def _read_page(self, stream: StreamKey, seen: list[_StreamEntry]) -> tuple[list[_StreamEntry], WriterTotals]:
        oldest = "{}-{}".format(*_newest(seen))
        pipe = self._redis.client.pipeline(transaction=False)
        pipe.hgetall(writers_key(stream))
        pipe.xrange(stream_key(stream), min=oldest, count=self._page_entries)
        writers, page = [_or_nothing(reply) for reply in await pipe.execute(raise_on_error=False)]
        writers = cast("dict[bytes, bytes]", writers or {})  # the client decodes nothing
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", page or [])
        return [_StreamEntry.parse(raw_id, fields) for raw_id, fields in entries], parse_writers(writers)

    def _within_capacity(self, entries: list[_StreamEntry]) -> list[_StreamEntry]:
        """The entries without those that a writer has trimmed since they were read."""
        # only ids of our own blocks are numbers of rows; those of other programs are times
        surplus = max((one.id[0] for one in entries if one.block is not None), default=0) - self._capacity_rows
        return [entry for entry in entries if entry.id[0] > surplus]


def _newest(entries: list[_StreamEntry]) -> tuple[int, int]:
    return entries[-1].id if entries else _NOTHING


def _or_nothing(reply: object) -> object:
    """A reply; `None` in place of the error of a key of another type, which the next append replaces.

    Raises:
        Exception: The reply is another error.
    """
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return None
    if isinstance(reply, Exception):
        raise reply
    return reply
