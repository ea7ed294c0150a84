"""Stores go on when the master of Redis changes: through Sentinels, and in a cluster."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from redis.crc import key_slot

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_topology import look_for_master
from driftgauge.storage.ring import StreamKey
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_sentinel import RedisSentinel
from tests.support.rows import REQUESTS, counted

TIMEOUT_SECONDS = 2
SLOT = key_slot(stream_key(REQUESTS).encode())


@pytest.fixture
def sentinel() -> Iterator[RedisSentinel]:
    """A master, a replica and Sentinels of one test."""
    with RedisSentinel() as sentinel:
        yield sentinel


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    """A cluster of one test."""
    with RedisCluster() as cluster:
        yield cluster


async def attempts_until_success(call: Callable[[], Awaitable[object]], most: int = 40) -> int:
    """How many calls failed before the first one that succeeded."""
    for failed in range(most):
        try:
            await call()
        except StorageError:
            await asyncio.sleep(0)
        else:
            return failed
    raise AssertionError(f"{most} calls failed")


@asynccontextmanager
async def redis_of(url: str) -> AsyncIterator[BoundedRedis]:
    """The client of a process."""
    redis = BoundedRedis(connect(url, TIMEOUT_SECONDS), TIMEOUT_SECONDS)
    try:
        yield redis
    finally:
        await redis.close()


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_rows_are_written_to_the_master_that_the_sentinels_name(sentinel: RedisSentinel, fault: str) -> None:
    """After the failover the first call succeeds, whether the old master is gone or only hangs."""
    async with redis_of(sentinel.url) as redis:
        ring = RedisRing(redis, 100, ttl_seconds=60)
        await asyncio.gather(*(ring.append(REQUESTS, counted(0, 2)) for _ in range(4)))
        old = sentinel.master
        getattr(old, fault)()
        await asyncio.to_thread(sentinel.wait_for_failover, old)
        failed = await attempts_until_success(lambda: ring.append(REQUESTS, counted(2, 2)))

    assert failed <= 4


async def test_a_master_that_became_a_replica_is_left(sentinel: RedisSentinel) -> None:
    """A planned failover: the old master still replies, and refuses to write."""
    async with redis_of(sentinel.url) as redis:
        ring = RedisRing(redis, 100, ttl_seconds=60)
        await ring.append(REQUESTS, counted(0, 2))
        old = sentinel.master
        sentinel.command(sentinel.sentinels[0], "SENTINEL", "FAILOVER", "mymaster")
        await asyncio.to_thread(sentinel.wait_for_failover, old)
        failed = await attempts_until_success(lambda: ring.append(REQUESTS, counted(2, 2)))
        window = await ring.read(REQUESTS, "s", 2)

    assert failed <= 1
    assert len(window.rows) == 4


async def test_an_old_master_that_still_accepts_writes_gets_none(sentinel: RedisSentinel) -> None:
    """For some ten seconds after a planned failover it is a master too; what it accepts is lost when it is none."""
    async with redis_of(sentinel.url) as redis:
        ring = RedisRing(redis, 100, ttl_seconds=60)
        await asyncio.gather(*(ring.append(REQUESTS, counted(0, 2)) for _ in range(4)))
        old = sentinel.master
        sentinel.command(sentinel.sentinels[0], "SENTINEL", "FAILOVER", "mymaster")
        await asyncio.to_thread(sentinel.wait_for_failover, old)
        await look_for_master(redis.client)
        await ring.append(REQUESTS, counted(2, 2))
        newest = sentinel.command(sentinel.master, "XREVRANGE", stream_key(REQUESTS), "+", "-", "COUNT", "1")

    assert b"10" == newest[0][0].partition(b"-")[0]


async def test_one_sentinel_is_enough(sentinel: RedisSentinel) -> None:
    """Those that hang or are gone cost no call, even if they come first."""
    sentinel.sentinels[0].pause()
    sentinel.sentinels[1].kill()
    async with redis_of(sentinel.url) as redis:
        await redis.client.ping()
    sentinel.sentinels[0].resume()


async def test_without_sentinels_the_error_says_so(sentinel: RedisSentinel) -> None:
    """It names the master and shows no object of Python."""
    for one in sentinel.sentinels:
        one.kill()
    async with redis_of(sentinel.url) as redis:
        with pytest.raises(StorageError, match="No master found for 'mymaster'") as caught:
            await RedisRing(redis, 100, ttl_seconds=60).ping()

    assert "<" not in str(caught.value)


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_rows_and_pairs_go_on_when_a_primary_fails(cluster: RedisCluster, fault: str) -> None:
    """The replica takes over; calls of one key and pipelines over many find it."""
    async with redis_of(cluster.url) as redis:
        ring, pairs = RedisRing(redis, 100, ttl_seconds=60), RedisPairs(redis, ttl_seconds=60)
        await ring.append(REQUESTS, counted(0, 2))
        old = cluster.owner(SLOT)
        getattr(old, fault)()
        await asyncio.to_thread(cluster.wait_for_failover, old, SLOT)
        halves = [Half(f"{number}", Kind.REQUEST, 1.0) for number in range(20)]
        failed_pairs = await attempts_until_success(lambda: pairs.put(halves))
        failed_rows = await attempts_until_success(lambda: ring.append(REQUESTS, counted(2, 2)))

    assert failed_pairs <= 2
    assert failed_rows <= 1


async def test_a_slot_that_moves_costs_nothing(cluster: RedisCluster) -> None:
    """Before, while and after its keys move, with many connections at the same time."""
    async with redis_of(cluster.url) as redis:
        ring = RedisRing(redis, 1000, ttl_seconds=60)
        target = next(node for node in cluster.nodes[:3] if node is not cluster.owner(SLOT))

        async def append_some() -> None:
            """Append by several connections."""
            await asyncio.gather(*(ring.append(REQUESTS, counted(0, 2)) for _ in range(8)))

        await append_some()
        cluster.begin_migration(SLOT, target)
        await append_some()
        cluster.move_keys(SLOT, target)
        for _ in range(5):
            await append_some()
        cluster.end_migration(SLOT, target)
        await append_some()
        window = await ring.read(REQUESTS, "s", 2)

    assert len(window.rows) == 8 * 8 * 2


async def test_the_streams_of_all_primaries_are_listed(cluster: RedisCluster) -> None:
    """The keys of models lie in many slots."""
    async with redis_of(cluster.url) as redis:
        ring = RedisRing(redis, 100, ttl_seconds=60)
        streams = {StreamKey(ModelKey("", f"m{number}", "predictor", "m"), Kind.REQUEST) for number in range(30)}
        for stream in streams:
            await ring.append(stream, counted(0, 2))
        listed = await ring.streams()

    assert len(listed) == 30
    assert streams == set(listed)


async def test_a_url_of_one_server_that_is_a_node_of_a_cluster_says_what_to_write(cluster: RedisCluster) -> None:
    """MOVED is named."""
    node = next(node for node in cluster.nodes[:3] if node is not cluster.owner(SLOT))
    async with redis_of(node.url) as redis:
        with pytest.raises(StorageError, match="Redis could not append rows: MOVED"):
            await RedisRing(redis, 100, ttl_seconds=60).append(REQUESTS, counted(0, 2))
