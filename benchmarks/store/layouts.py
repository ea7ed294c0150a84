"""Layouts for the newest rows in Redis: the usual ones, and that of driftgauge."""

from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import Block, StreamKey

Rows = NDArray[np.float64]
_STREAM = StreamKey(ModelKey("stack", "wine", "predictor", "wine"), Kind.REQUEST)
_KEY = "rows"


class Layout(Protocol):
    """One layout."""

    async def append(self, rows: Rows) -> None:
        """Append rows, and remove old ones."""

    async def read(self) -> Rows:
        """Read the newest rows."""


class RowByRow:
    """A list with a value for each row, pushed one by one in a pipeline, trimmed at each flush.

    Args:
        client: The Redis client.
        capacity: Number of rows to keep.
        width: Values in a row.
    """

    def __init__(self, client: Redis, capacity: int, width: int) -> None:
        self._client = client
        self._capacity = capacity
        self._width = width

    async def append(self, rows: Rows) -> None:
        """Send one RPUSH for each row."""
        pipe = self._client.pipeline(transaction=False)
        for row in rows:
            pipe.rpush(_KEY, row.tobytes())
        pipe.ltrim(_KEY, -self._capacity, -1)
        await pipe.execute()

    async def read(self) -> Rows:
        """Read all values."""
        found = await cast("object", self._client.lrange(_KEY, 0, -1))  # type: ignore[misc]
        return np.frombuffer(b"".join(cast("list[bytes]", found)), "<f8").reshape(-1, self._width)


class OnePush(RowByRow):
    """The same list, with one RPUSH for all rows of a flush."""

    async def append(self, rows: Rows) -> None:
        """Send one RPUSH for all rows."""
        pipe = self._client.pipeline(transaction=False)
        pipe.rpush(_KEY, *[row.tobytes() for row in rows])
        pipe.ltrim(_KEY, -self._capacity, -1)
        await pipe.execute()


class EntryByRow(RowByRow):
    """A stream with an entry for each row."""

    async def append(self, rows: Rows) -> None:
        """Send one XADD for each row."""
        pipe = self._client.pipeline(transaction=False)
        for row in rows:
            pipe.xadd(_KEY, {"data": row.tobytes()}, maxlen=self._capacity, approximate=False)
        await pipe.execute()

    async def read(self) -> Rows:
        """Read all entries."""
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self._client.xrange(_KEY))
        return np.frombuffer(b"".join(fields[b"data"] for _, fields in found), "<f8").reshape(-1, self._width)


class Ours:
    """The layout of driftgauge: one stream entry for each flush.

    Args:
        client: The Redis client.
        capacity: Number of rows to keep.
        width: Values in a row.
    """

    def __init__(self, client: Redis, capacity: int, width: int) -> None:
        self._client = client
        self._capacity = capacity
        self._width = width
        self._ring = RedisRing(BoundedRedis(client, 30.0), capacity, 3600.0)

    async def append(self, rows: Rows) -> None:
        """Append one block."""
        each = len(rows)
        ids = np.arange(each, dtype=np.uint64)
        await self._ring.append(_STREAM, Block("schema", rows, np.ones(each, dtype=np.int64), np.zeros(each), ids))

    async def read(self) -> Rows:
        """Read as a process that has just started and knows no rows."""
        ring = RedisRing(BoundedRedis(self._client, 30.0), self._capacity, 3600.0)
        return (await ring.read(_STREAM, "schema", self._width)).rows

    async def read_new(self) -> Rows:
        """Read only new rows, as at each evaluation."""
        return (await self._ring.read(_STREAM, "schema", self._width)).rows


OURS = "driftgauge: one stream entry a flush"
LAYOUTS: dict[str, type[RowByRow] | type[Ours]] = {
    OURS: Ours,
    "list, RPUSH of each row": RowByRow,
    "list, one RPUSH a flush": OnePush,
    "stream, XADD of each row": EntryByRow,
}
