"""A ring in Redis with a small capacity, and what a server holds of it."""

from typing import cast

from redis.asyncio import Redis, RedisCluster
from redis.typing import EncodableT, FieldT

from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import Window
from tests.support.rows import REQUESTS

CAPACITY_ROWS = 10
KEY = stream_key(REQUESTS)


def ring_on(client: Redis | RedisCluster, capacity_rows: int = CAPACITY_ROWS, timeout_seconds: float = 5) -> RedisRing:
    """A ring with a life of a minute."""
    return RedisRing(BoundedRedis(client, timeout_seconds), capacity_rows, ttl_seconds=60)


async def read_window(ring: RedisRing) -> Window:
    """The window of the schema that the blocks of these tests have."""
    return await ring.read(REQUESTS, "s", 2)


async def first_column(ring: RedisRing) -> list[float]:
    """The first column of the window."""
    return [float(value) for value in (await read_window(ring)).rows[:, 0]]


async def entries(client: Redis) -> list[tuple[int, int, dict[bytes, bytes]]]:
    """What the stream holds on the server: the two parts of each id, and the fields."""
    response = cast("list[tuple[bytes, dict[bytes, bytes]]]", await client.xrange(KEY))
    parts = [(raw_id.decode().split("-"), fields) for raw_id, fields in response]
    return [(int(last_row), int(ms), fields) for (last_row, ms), fields in parts]


async def buffered_rows(client: Redis) -> int:
    """How many rows the stream holds on the server."""
    return sum(int(fields[b"rows"]) for _, _, fields in await entries(client))


async def add_entry(client: Redis, fields: dict[str, str | bytes]) -> None:
    """Adds an entry as a replica of an earlier build might, its id numbered on from the newest."""
    last_row, ms, _ = (await entries(client))[-1]
    values: dict[FieldT, EncodableT] = {name: value for name, value in fields.items()}  # noqa: C416 - for its type
    await client.xadd(KEY, values, id=f"{last_row + 1}-{ms}")
