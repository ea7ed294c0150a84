"""The ring in Redis: rows that outlive a pod and are shared by replicas. `layout` says how they lie there."""

from dataclasses import dataclass
from typing import Self, cast

from redis.asyncio import Redis, RedisCluster

from driftgauge.storage.redis_client import bounded
from driftgauge.storage.redis_layout import KEY_PATTERN, pack, parse_key, stream_key, unpack
from driftgauge.storage.ring import Block, StreamKey, Window, assemble, is_usable

# Rows are counted by the newest id, so that trimming is Redis' own and looks at no other entry.
# A stream that was emptied, but not deleted, would refuse to count from the start.
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
_SCAN_KEYS = 1000
"""Keys that one step of a scan looks at: some hundred microseconds of the server's time."""

_NOTHING = (0, 0)  # below every id: rows are numbered from 1


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
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
        client: Answers bytes; closed by `close`. One key per command, so a cluster's client will do.
        capacity_rows: Rows that a window holds, at least 1. A stream keeps its newest `capacity_rows`
            rows of all schemas together, in whole blocks: at most one block less a row above that.
        ttl_seconds: A stream is forgotten so long after its last append.
        timeout_seconds: Bound of one call in all.
        page_entries: Entries asked for at a time, at least 2: one reply must not keep the server busy for long.

    Notes:
        An append is one atomic script, O(1) amortised, that reads no more than the newest entry.
        A reader keeps what it has seen, again `capacity_rows` rows and a block, and asks only for what is newer.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        capacity_rows: int,
        ttl_seconds: float,
        timeout_seconds: float,
        page_entries: int = 128,
    ) -> None:
        self._client = client
        self._capacity_rows = capacity_rows
        self._ttl_milliseconds = round(ttl_seconds * 1000)
        self._timeout_seconds = timeout_seconds
        self._page_entries = page_entries
        self._append = client.register_script(_APPEND)
        self._seen: dict[StreamKey, list[_Entry]] = {}

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a block at the newest end; entries with surplus rows alone go.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the block may have been added.
        """
        arguments = [self._capacity_rows, self._ttl_milliseconds, len(block.rows), *pack(block)]
        async with bounded("append rows", self._timeout_seconds):
            await self._append(keys=[stream_key(stream)], args=arguments)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with bounded("read rows", self._timeout_seconds):
            met, entries = await self._catch_up(stream)
        self._seen[stream] = entries
        skipped = sum(entry.id > met and not is_usable(entry.block, schema, width) for entry in entries)
        numbered = ((entry.id[0], entry.block) for entry in entries)
        return assemble(numbered, schema, width, self._capacity_rows, skipped)

    async def streams(self) -> list[StreamKey]:
        """The streams that hold rows, of every process that shares this Redis.

        Raises:
            StorageError: Redis is away, slow or refuses; also if it holds so many keys that a look at all of
                them takes too long.
        """
        async with bounded("list streams", self._timeout_seconds):
            keys = [key async for key in self._client.scan_iter(match=KEY_PATTERN, count=_SCAN_KEYS)]
        return [stream for key in keys if (stream := parse_key(key)) is not None]

    async def ping(self) -> None:
        """Ask whether Redis answers.

        Raises:
            StorageError: It does not.
        """
        async with bounded("respond", self._timeout_seconds):
            await self._client.ping()

    async def close(self) -> None:
        """Close the client with all its connections, and forget what was seen."""
        self._seen.clear()
        async with bounded("close", self._timeout_seconds):
            await self._client.aclose()

    async def _catch_up(self, stream: StreamKey) -> tuple[tuple[int, int], list[_Entry]]:
        """The newest id that was met before, and all that the stream holds now.

        Each page begins with the newest entry seen. If that is gone, the stream was deleted, flushed,
        lost with its server, or has moved on by a whole window: what was seen is worth nothing.
        """
        key, seen = stream_key(stream), self._seen.get(stream, [])
        met = _newest(seen)
        while True:
            page = await self._page(key, seen)
            if seen and (not page or page[0].id != _newest(seen)):
                met, seen = _NOTHING, []
                continue
            seen = self._kept([*seen[:-1], *page])
            if len(page) < self._page_entries:
                return met, seen

    async def _page(self, key: str, seen: list[_Entry]) -> list[_Entry]:
        oldest = "{}-{}".format(*_newest(seen))
        response = await self._client.xrange(key, min=oldest, count=self._page_entries)
        page = cast("list[tuple[bytes, dict[bytes, bytes]]]", response)  # the client decodes nothing
        return [_Entry.parse(raw_id, fields) for raw_id, fields in page]

    def _kept(self, entries: list[_Entry]) -> list[_Entry]:
        """The entries that the trimming leaves: another writer may have trimmed since they were seen."""
        surplus = _newest(entries)[0] - self._capacity_rows
        return [entry for entry in entries if entry.id[0] > surplus]


def _newest(entries: list[_Entry]) -> tuple[int, int]:
    return entries[-1].id if entries else _NOTHING
