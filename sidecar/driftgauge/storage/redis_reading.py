"""Reads the windows of streams in Redis: what is new since the last read, beside what this process keeps."""

import asyncio
import logging
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from redis.exceptions import ResponseError

from driftgauge.concurrency.gil_yield import GilYield
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.assembling import BESIDE_BLOCKS, Appended, Piece, assemble_beside, put_together
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import MAX_ROWS, parse_origin, parse_writers, stream_key, unpack, writers_key
from driftgauge.storage.ring import StreamKey, Window, WriterTotals, kept_rows

_log = logging.getLogger(__name__)

_NOTHING: Final = (0, 0)
"""Below the id of every entry: rows are numbered from 1."""

_Entry = tuple[bytes, dict[bytes, bytes]]
"""An entry of a stream as XRANGE replies: its id and its fields."""


@dataclass(slots=True)
class _StreamRead:
    """What was read of a stream.

    Args:
        pieces: Its blocks.
        newest: The id of the newest one that was read.
        counted: The id of the newest one whose being of another schema was counted.
        lock: Taken by a read: pages follow each other.
    """

    pieces: list[Piece] = field(default_factory=list)
    newest: tuple[int, int] = _NOTHING
    counted: tuple[int, int] = _NOTHING
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def forget(self) -> None:
        """Forget all but what was counted."""
        self.pieces, self.newest = [], _NOTHING


class RedisReader:
    """Reads windows.

    Args:
        redis: The connection, which its owner closes.
        window_rows: Rows of a window, at least 1.
        page_entries: Entries of one XRANGE, at least 2: one reply must not keep the server busy for long.

    Notes:
        It keeps what it has read, as pieces, and requests newer entries. What a page has brought is kept even if a
        later page fails, so that a stream of very many blocks is read in the end.
    """

    def __init__(self, redis: BoundedRedis, window_rows: int, page_entries: int) -> None:
        self._redis = redis
        self._window_rows = window_rows
        self._page_entries = page_entries
        self._read: dict[StreamKey, _StreamRead] = {}
        self._warned: set[StreamKey] = set()

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most as many as a stream keeps.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        capacity = kept_rows(stream.kind, self._window_rows, width)
        read = self._read.setdefault(stream, _StreamRead())
        async with read.lock:
            known = await self._redis.run(
                Call.READ,
                "read rows",
                lambda: self._catch_up(stream, read, capacity),
                key=stream_key(stream),
                repeatable=True,
            )
            counted = read.counted if read.counted <= read.newest else _NOTHING  # else the stream began again
            skipped = sum(one.count_after(*counted) for one in read.pieces if not one.is_usable(schema, width))
            read.counted = read.newest
            pieces = list(read.pieces)
        self._warn_of_unreadable(stream, sum(len(one.ends) for one in pieces if one.schema is None))
        return await assemble_beside(pieces, schema, width, capacity, skipped, known)

    def forget(self, model: ModelKey) -> None:
        """Forget what was read of a model, but the id of the newest block: those of another schema count once."""
        for read in (self._read.get(StreamKey(model, kind)) for kind in Kind):
            if read is not None and not read.lock.locked():
                read.forget()

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what was read of models that are not in `models`."""
        self._read = {stream: read for stream, read in self._read.items() if stream.model in models}
        self._warned = {stream for stream in self._warned if stream.model in models}

    async def _catch_up(self, stream: StreamKey, read: _StreamRead, capacity: int) -> WriterTotals:
        """Read the entries that are newer than those of the last read. Returns what is known of the writers.

        Notes:
            The writers are read before the entries: a row that is appended in between is then in the window or in
            neither, and no writer's total has a row that the next window has as a new one.
            Each page starts with the newest entry that is known. If that entry is missing, the stream was deleted,
            flushed or lost with its server, or a whole window was appended since: all known entries are stale, so the
            loop starts again from the oldest entry.
        """
        known: WriterTotals | None = None
        while True:
            page, writers = await self._read_page(stream, read.newest, with_writers=known is None)
            known = writers if known is None else known
            if read.newest != _NOTHING:
                if not page or _id(page[0]) != read.newest:
                    read.forget()
                    read.counted = _NOTHING
                    continue
                new = page[1:]
            else:
                new = page
            if new:
                read.pieces = await _with_entries(read.pieces, new, capacity)
                read.newest = _id(new[-1])
            if len(page) < self._page_entries:
                return known or WriterTotals({}, {})

    async def _read_page(
        self, stream: StreamKey, oldest: tuple[int, int], *, with_writers: bool
    ) -> tuple[list[_Entry], WriterTotals | None]:
        """Read entries from this one on, and what is known of the writers if it is wanted."""
        pipe = self._redis.client.pipeline(transaction=False)
        if with_writers:
            pipe.hgetall(writers_key(stream))
        pipe.xrange(stream_key(stream), min="{}-{}".format(*oldest), count=self._page_entries)
        *writers, page = [_or_nothing(reply) for reply in await pipe.execute(raise_on_error=False)]
        known = parse_writers(cast("dict[bytes, bytes]", writers[0] or {})) if writers else None
        return cast("list[_Entry]", page or []), known  # the client decodes nothing

    def _warn_of_unreadable(self, stream: StreamKey, blocks: int) -> None:
        """Log once for each stream that some of its blocks have another format or are damaged."""
        if blocks and stream not in self._warned:
            self._warned.add(stream)
            text = "%d blocks of %ss of %s in Redis are skipped: they are of another version of driftgauge, or damaged"
            _log.warning(text, blocks, stream.kind, stream.model)


async def _with_entries(pieces: Sequence[Piece], entries: Sequence[_Entry], capacity: int) -> list[Piece]:
    """The pieces with further entries, without what a writer has trimmed; in a thread if there are many entries."""
    if len(entries) < BESIDE_BLOCKS:
        return _put_together(pieces, entries, capacity)
    return await asyncio.to_thread(_put_together, pieces, entries, capacity)


def _put_together(pieces: Sequence[Piece], entries: Sequence[_Entry], capacity: int) -> list[Piece]:
    checkpoint = GilYield()
    blocks = []
    for entry in entries:
        checkpoint()
        blocks.append(_appended(entry))
    found = put_together(pieces, blocks, checkpoint)
    # only ids of our own blocks are numbers of rows; those of other programs are times
    newest = max((int(one.ends[-1, 0]) for one in found if one.schema is not None), default=0)
    left = [one.above(newest - capacity) for one in found]
    return [one for one in left if one is not None]


def _id(entry: _Entry) -> tuple[int, int]:
    number, _, milliseconds = entry[0].partition(b"-")
    return int(number), int(milliseconds)


def _appended(entry: _Entry) -> Appended:
    """The block of an entry: its id has the number of the block's last row, and the server's time in milliseconds."""
    (number, stamp), fields = _id(entry), entry[1]
    block, origin = unpack(fields), parse_origin(fields)
    if block is None or origin is None or origin[1] < len(block.rows) or number >= MAX_ROWS:
        return Appended(number, None, "", 0, stamp)
    return Appended(number, block, *origin, stamp)


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
