"""Every call of the stores in Redis reports whether it succeeded."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.processes import free_port
from tests.support.rows import REQUESTS, counted

HALF = Half("k", Kind.REQUEST, 1.0)
CALLS: dict[str, Callable[[BoundedRedis], Awaitable[object]]] = {
    "append": lambda redis: RedisRing(redis, 10, ttl_seconds=60).append(REQUESTS, counted(0, 2)),
    "read": lambda redis: RedisRing(redis, 10, ttl_seconds=60).read(REQUESTS, "s", 2),
    "streams": lambda redis: RedisRing(redis, 10, ttl_seconds=60).streams(),
    "ping": lambda redis: RedisRing(redis, 10, ttl_seconds=60).ping(),
    "put": lambda redis: RedisPairs(redis, ttl_seconds=60).put([HALF, HALF]),
    "unpaired": lambda redis: RedisPairs(redis, ttl_seconds=60).unpaired([HALF]),
    "load": lambda redis: RedisStates(redis, ttl_seconds=60).load(REQUESTS, "detector"),
    "save": lambda redis: RedisStates(redis, ttl_seconds=60).save(REQUESTS, "detector", b"", 0),
    "late save": lambda redis: RedisStates(redis, ttl_seconds=60).save(REQUESTS, "detector", b"", 7),
    "delete": lambda redis: RedisStates(redis, ttl_seconds=60).delete(REQUESTS, "detector"),
}

calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture(name="away")
async def _away() -> AsyncIterator[Redis]:
    """A client whose server does not exist."""
    client = connect(f"redis://127.0.0.1:{free_port()}", timeout_seconds=5)
    yield client
    await client.aclose()


@calls
async def test_a_call_that_succeeds_is_reported(
    redis_client: Redis, call: Callable[[BoundedRedis], Awaitable[object]]
) -> None:
    """One call is reported once, also a save that came late and a half that is a duplicate."""
    reports: list[bool] = []
    await call(BoundedRedis(redis_client, 5, reports.append))

    assert [True] == reports


@calls
async def test_a_call_that_fails_is_reported_and_raised(
    away: Redis, call: Callable[[BoundedRedis], Awaitable[object]]
) -> None:
    """The failure is reported once, and the error reaches the caller."""
    reports: list[bool] = []

    with pytest.raises(StorageError, match=r"^Redis could not "):
        await call(BoundedRedis(away, 5, reports.append))
    assert [False] == reports


async def test_a_close_is_not_reported(away: Redis) -> None:
    """No rows depend on it."""
    reports: list[bool] = []
    await BoundedRedis(away, 5, reports.append).close()

    assert [] == reports
