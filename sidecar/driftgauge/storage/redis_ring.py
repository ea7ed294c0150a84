"""The ring in Redis: its rows survive a restart and are shared by replicas. `redis_layout` defines their format."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import TypeVar

from redis.asyncio.cluster import ClusterNode

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import (
    KEY_PATTERN,
    is_malformed,
    parse_key,
    stream_key,
)
from driftgauge.storage.redis_looks import RedisLooks
from driftgauge.storage.redis_reading import RedisReader
from driftgauge.storage.redis_servers import group_by_server, primaries_of
from driftgauge.storage.redis_writers import RedisWriters
from driftgauge.storage.ring import Block, Progress, StreamKey, Window
from driftgauge.storage.silent_revisions import silent_revisions, with_siblings

_log = logging.getLogger(__name__)

_SCAN_KEYS = 500
"""Keys that one step of SCAN visits: some hundred microseconds of the server's time, and 5 ms to parse their names."""

_MAX_STREAMS = 20_000
"""Most keys of streams that are listed: 0.2 s of work."""

Found = TypeVar("Found")


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
        self._on_skipped = on_skipped
        self._writers = RedisWriters(redis, capacity_rows, round(ttl_seconds * 1000), time.monotonic, on_replaced)
        self._looks = RedisLooks(redis)
        self._reader = RedisReader(redis, capacity_rows, page_entries)

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
        return await self._reader.read(stream, schema, width)

    async def progress(self, streams: Sequence[StreamKey]) -> list[Progress]:
        """How far each of these streams is read.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        return await self._looks.progress(streams)

    async def note_looked(self, stream: StreamKey, number: int) -> None:
        """Note that all rows up to this number are read.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        await self._looks.note(stream, number)

    async def streams(self, on_away: Callable[[StorageError], None] | None = None) -> list[StreamKey]:
        """The streams that contain rows, of every process that shares this Redis; malformed keys are skipped.

        There are at most 20,000; a shared Redis may have keys of any number of invented models. Those of a revision
        without rows for a day, while another revision of its model had some, are left out.

        Args:
            on_away: Called with why the keys of one server of a cluster cannot be listed; without it this is raised.

        Raises:
            StorageError: Redis is away, slow or refuses, or has too many keys to visit them all within the time limit.
        """
        found = await self._ask_primaries(Call.LIST, "list streams", self._scan)
        errors = [one for one in found if isinstance(one, StorageError)]
        if errors and (on_away is None or len(errors) == len(found)):
            raise errors[0]
        streams: list[StreamKey] = []
        malformed: list[bytes] = []
        for one in found:
            if isinstance(one, StorageError):
                if on_away is not None:
                    on_away(one)
                continue
            streams += one[0]
            malformed += one[1]
        if len(streams) + len(malformed) >= _MAX_STREAMS:
            _log.warning("Redis has more than %d streams of rows; the others are not restored", _MAX_STREAMS)
            streams = streams[:_MAX_STREAMS]
        if malformed:
            # as bytes, since such a name may be no text
            _log.warning("%d keys in Redis have malformed names and are skipped: %.100r", len(malformed), malformed[0])
            self._on_skipped(len(malformed))
        return await self._without_silent(streams)

    def forget_read(self, model: ModelKey) -> None:
        """Forget the entries that were read of a model, but the id of the newest: skipped blocks count once."""
        self._reader.forget(model)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what was read of models that are not in `models`. Their rows in Redis expire by themselves."""
        self._writers.retain(models)
        self._reader.retain(models)

    async def ping(self) -> None:
        """Check that Redis replies; of a cluster, any server.

        Raises:
            StorageError: It does not.
        """
        found = await self._ask_primaries(Call.PING, "respond", self._ping)
        errors = [one for one in found if isinstance(one, StorageError)]
        if len(errors) == len(found):
            raise errors[0]

    async def _ask_primaries(
        self, call: Call, action: str, ask: Callable[[dict[str, ClusterNode]], Awaitable[Found]]
    ) -> list[Found | StorageError]:
        """Ask each server side by side, with a time limit of its own: what it has, or why it does not say."""
        await self._redis.find_servers(call)

        async def ask_one(node: ClusterNode | None) -> Found | StorageError:
            """What one server has."""
            try:
                async with self._redis.call(action, call):
                    return await ask({} if node is None else {"target_nodes": node})
            except StorageError as error:
                return error

        return await asyncio.gather(*map(ask_one, primaries_of(self._redis.client)))

    async def _ping(self, node: dict[str, ClusterNode]) -> None:
        await self._redis.client.ping(**node)

    async def _scan(self, node: dict[str, ClusterNode]) -> tuple[list[StreamKey], list[bytes]]:
        """The streams of one server, and the malformed keys that look like those of streams."""
        streams: list[StreamKey] = []
        malformed: list[bytes] = []
        keys = self._redis.client.scan_iter(match=KEY_PATTERN, count=_SCAN_KEYS, _type="stream", **node)
        async for key in keys:
            stream = parse_key(key)
            if stream is not None:
                streams.append(stream)
            elif is_malformed(key):
                malformed.append(key)
            if len(streams) + len(malformed) >= _MAX_STREAMS:
                break
        return streams, malformed

    async def _without_silent(self, streams: list[StreamKey]) -> list[StreamKey]:
        """The streams without those of revisions that others have replaced."""
        several = with_siblings(streams)
        if not several:
            return streams
        left: dict[StreamKey, int] = {}
        for group in group_by_server(self._redis.client, [stream_key(stream) for stream in several]):
            pipeline = self._redis.client.pipeline(transaction=False)
            for index in group:
                pipeline.pttl(stream_key(several[index]))
            async with self._redis.call("list streams", Call.LIST, stream_key(several[group[0]])):
                left.update(zip([several[index] for index in group], await pipeline.execute(), strict=True))
        silent = silent_revisions(left)
        return [stream for stream in streams if stream not in silent]
