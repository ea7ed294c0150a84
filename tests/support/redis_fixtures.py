"""Fixtures of a real Redis, for every test."""

from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from driftgauge.storage.redis_client import BoundedRedis, connect
from tests.support.parts import program
from tests.support.ports import free_port_of_cluster
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_sentinel import RedisSentinel
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

STORES = {
    "memory": "",
    "redis": "redis_server",
    "valkey": "valkey_server",
    "sentinel": "redis_sentinel",
    "cluster": "redis_cluster",
}
"""Where a store of the contract tests is -> the fixture of its server."""

every_store = pytest.mark.parametrize("bounded_redis", STORES, indirect=True)
"""Runs the tests of a module in memory and with each kind of Redis: `pytestmark = every_store`."""

# by script, since the client gives these replies no type
_ADD_SLOTS = "for slot = 0, 16383 do redis.call('CLUSTER', 'ADDSLOTS', slot) end"
_INFO = "return redis.call('CLUSTER', 'INFO')"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for all tests that do it no harm."""
    with RedisServer() as server:
        yield server


@pytest.fixture
async def redis_client(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of the common server, which is empty."""
    client = cast("Redis", connect(redis_server.url, timeout_seconds=5))
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server for one test, which may end or pause it."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[RedisServer]:
    """A server of Valkey for all tests that do it no harm."""
    with RedisServer(binary=program("valkey-server")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_sentinel() -> Iterator[RedisSentinel]:
    """A master, a replica and Sentinels for all tests that do them no harm."""
    with RedisSentinel() as sentinel:
        yield sentinel


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """A cluster of six nodes for all tests that do it no harm."""
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture(name="bounded_redis")
async def _bounded_redis(request: pytest.FixtureRequest) -> AsyncIterator[BoundedRedis | None]:
    """An empty Redis of the kind that the parameter says, one of `STORES`; nothing for `memory`."""
    if request.param == "memory":
        yield None
        return
    server = request.getfixturevalue(STORES[request.param])
    redis = BoundedRedis(connect(server.url, timeout_seconds=5), timeout_seconds=5)
    await redis.client.flushall()
    yield redis
    await redis.close()


@pytest.fixture(scope="module")
def cluster_url() -> Iterator[str]:
    """The address of a cluster of one node that holds all slots."""
    port = free_port_of_cluster()
    with RedisServer("--cluster-enabled", "yes", port=port) as server, SyncRedis.from_url(server.url) as client:
        client.eval(_ADD_SLOTS, 0)
        wait_until(lambda: "cluster_state:ok" in f"{client.eval(_INFO, 0)}", "a cluster that serves")
        yield server.url
