"""Every call of the stores in Redis reports whether it succeeded."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis, RedisCluster

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis, Call, connect
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.ports import free_port
from tests.support.rows import REQUESTS, counted

HALF = Half("k", Kind.REQUEST, 1.0)
CALLS: dict[str, Callable[[BoundedRedis], Awaitable[object]]] = {
    "append": lambda redis: RedisRing(redis, 10, ttl_seconds=60).append(REQUESTS, counted(0, 2)),
    "read": lambda redis: RedisRing(redis, 10, ttl_seconds=60).read(REQUESTS, "s", 2),
    "streams": lambda redis: RedisRing(redis, 10, ttl_seconds=60).streams(),
    "ping": lambda redis: RedisRing(redis, 10, ttl_seconds=60).ping(),
    "put": lambda redis: RedisPairs(redis, ttl_seconds=60).put([HALF, HALF]),
    "load": lambda redis: RedisStates(redis, ttl_seconds=60).load(REQUESTS, "detector"),
    "save": lambda redis: RedisStates(redis, ttl_seconds=60).save(REQUESTS, "detector", b"", 0),
    "late save": lambda redis: RedisStates(redis, ttl_seconds=60).save(REQUESTS, "detector", b"", 7),
    "delete": lambda redis: RedisStates(redis, ttl_seconds=60).delete(REQUESTS, "detector"),
}

KINDS = [
    Call.APPEND,
    Call.READ,
    Call.LIST,
    Call.PING,
    Call.PAIR,
    Call.LOAD,
    Call.SAVE,
    Call.SAVE,
    Call.SAVE,
]


class Reports:
    """What was reported."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, bool]] = []

    def add(self, call: Call, error: StorageError | None) -> None:
        """A report."""
        self.calls.append((call, error is None))


calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture(name="away")
async def _away() -> AsyncIterator[Redis | RedisCluster]:
    """A client whose server does not exist."""
    client = connect(f"redis://127.0.0.1:{free_port()}", timeout_seconds=5)
    yield client
    await client.aclose()


@calls
async def test_a_call_that_succeeds_is_reported(
    redis_client: Redis, call: Callable[[BoundedRedis], Awaitable[object]]
) -> None:
    """One call is reported once, also a save that came late and a half that is a duplicate."""
    reports = Reports()
    await call(BoundedRedis(redis_client, 5, reports.add))

    assert [True] == [succeeded for _, succeeded in reports.calls]


@calls
async def test_a_call_that_fails_is_reported_and_raised(
    away: Redis | RedisCluster, call: Callable[[BoundedRedis], Awaitable[object]]
) -> None:
    """The failure is reported once, and the error reaches the caller."""
    reports = Reports()

    with pytest.raises(StorageError, match=r"^Redis could not "):
        await call(BoundedRedis(away, 5, reports.add))
    assert [False] == [succeeded for _, succeeded in reports.calls]


async def test_a_close_is_not_reported(away: Redis | RedisCluster) -> None:
    """No rows depend on it."""
    reports = Reports()
    await BoundedRedis(away, 5, reports.add).close()

    assert [] == reports.calls


async def test_a_call_is_reported_with_its_kind(redis_client: Redis) -> None:
    """Each kind is what no longer works if Redis refuses it."""
    reports = Reports()
    redis = BoundedRedis(redis_client, 5, reports.add)
    for call in CALLS.values():
        await call(redis)

    assert KINDS == [call for call, _ in reports.calls]


async def test_a_removal_is_reported_unless_no_half_is_open(redis_client: Redis) -> None:
    """A call that was not needed says nothing of Redis."""
    reports = Reports()
    pairs = RedisPairs(BoundedRedis(redis_client, 5, reports.add), ttl_seconds=60)
    await pairs.put([HALF])
    await pairs.remove([HALF])
    await pairs.remove([HALF])

    assert [(Call.PAIR, True), (Call.UNPAIRED, True)] == reports.calls
