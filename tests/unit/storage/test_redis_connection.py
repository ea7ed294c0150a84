"""Connections to Redis that were closed while they were idle, or while a reply was awaited."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis import Redis

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis, Call, connect
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.redis_server import RedisServer
from tests.support.rows import REQUESTS, counted
from tests.support.tcp_relay import TcpRelay

HALF = Half("k", Kind.REQUEST, 1.0)
CALLS: dict[str, Callable[[BoundedRedis], Awaitable[object]]] = {
    "append": lambda redis: RedisRing(redis, 10, ttl_seconds=60).append(REQUESTS, counted(0, 2)),
    "read": lambda redis: RedisRing(redis, 10, ttl_seconds=60).read(REQUESTS, "s", 2),
    "streams": lambda redis: RedisRing(redis, 10, ttl_seconds=60).streams(),
    "put": lambda redis: RedisPairs(redis, ttl_seconds=60).put([HALF]),
    "remove": lambda redis: _put_and_remove(RedisPairs(redis, ttl_seconds=60)),
    "load": lambda redis: RedisStates(redis, ttl_seconds=60).load(REQUESTS, "detector"),
    "save": lambda redis: RedisStates(redis, ttl_seconds=60).save(REQUESTS, "detector", b"", 0),
}


async def _put_and_remove(pairs: RedisPairs) -> None:
    """Remove a half that is open: no other needs a call."""
    await pairs.put([HALF])
    await pairs.remove([HALF])


@pytest.fixture(name="relay")
async def _relay(redis_server: RedisServer) -> AsyncIterator[TcpRelay]:
    """A relay in front of the common server."""
    async with TcpRelay(redis_server.port) as relay:
        yield relay


@pytest.fixture(name="redis")
async def _redis(relay: TcpRelay) -> AsyncIterator[BoundedRedis]:
    """A client behind the relay, with one open connection that is idle."""
    redis = BoundedRedis(connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5), timeout_seconds=5)
    await redis.client.flushall()
    yield redis
    await redis.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_call_opens_a_new_connection_if_the_idle_one_was_reset(
    relay: TcpRelay, redis: BoundedRedis, call: Callable[[BoundedRedis], Awaitable[object]]
) -> None:
    """No call fails because a load balancer has reset the connection before."""
    await relay.reset()
    await call(redis)

    assert relay.accepted == 2


async def test_a_call_opens_a_new_connection_if_the_server_ended_the_idle_one(
    relay: TcpRelay, redis: BoundedRedis
) -> None:
    """Redis ends connections that are idle for longer than its `timeout`."""
    await relay.end()
    await RedisRing(redis, 10, ttl_seconds=60).append(REQUESTS, counted(0, 2))

    assert relay.accepted == 2


async def test_an_append_whose_connection_is_reset_before_the_reply_is_repeated_and_adds_its_block_once(
    own_server: RedisServer,
) -> None:
    """The server executes the command that it had received, and recognises the second one."""
    async with TcpRelay(own_server.port) as relay:
        redis = BoundedRedis(connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5), timeout_seconds=5)
        ring = RedisRing(redis, 10, ttl_seconds=60)
        await ring.append(REQUESTS, counted(0, 1))
        own_server.pause()
        relay.forwarded.clear()
        task = asyncio.create_task(ring.append(REQUESTS, counted(1, 2)))
        await relay.forwarded.wait()
        await relay.reset()
        own_server.resume()
        await task
        window = await ring.read(REQUESTS, "s", 2)
        await redis.close()

    assert [0, 1, 2] == list(window.rows[:, 0])
    assert [1, 2, 3] == list(window.positions)
    assert relay.accepted == 2


@pytest.mark.parametrize(("repeatable", "connections"), [(False, 1), (True, 2)])
async def test_a_call_that_may_have_been_executed_is_repeated_only_if_the_caller_permits_it(
    own_server: RedisServer,
    repeatable: bool,  # noqa: FBT001 - parametrised
    connections: int,
) -> None:
    """The server receives the command, and the connection is reset before it replies."""
    async with TcpRelay(own_server.port) as relay:
        redis = BoundedRedis(connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5), timeout_seconds=5)
        await redis.run(Call.PING, "respond", redis.client.ping)
        own_server.pause()
        relay.forwarded.clear()
        task = asyncio.create_task(redis.run(Call.PING, "respond", redis.client.ping, repeatable=repeatable))
        await relay.forwarded.wait()
        await relay.reset()
        own_server.resume()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        await redis.close()

    assert connections == relay.accepted
    assert isinstance(outcome, StorageError) is not repeatable
    assert getattr(outcome, "may_be_done", True) is True


@pytest.mark.parametrize("refusals", [1, 2])
async def test_a_call_for_which_no_connection_was_opened_is_repeated_once(
    redis_server: RedisServer, refusals: int
) -> None:
    """Nothing was sent, so that is safe for every call; the error says that nothing was done."""
    async with TcpRelay(redis_server.port) as relay:
        relay.refusals = refusals
        redis = BoundedRedis(connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5), timeout_seconds=5)
        task = asyncio.create_task(redis.run(Call.PING, "respond", redis.client.ping))
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        await redis.close()

    assert relay.accepted == 2
    assert getattr(outcome, "may_be_done", None) is (None if refusals == 1 else False)


async def test_more_calls_than_connections_wait_for_their_turn(redis_server: RedisServer) -> None:
    """The limit is that of the process, whatever the number of calls."""
    async with TcpRelay(redis_server.port) as relay:
        client = connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5)
        redis = BoundedRedis(client, timeout_seconds=5, max_calls=2)
        await asyncio.gather(*(redis.run(Call.PING, "respond", client.ping) for _ in range(50)))
        await redis.close()

    assert relay.accepted <= 2


async def test_a_server_that_became_a_replica_is_left(own_server: RedisServer) -> None:
    """The next call connects again: behind a Service that may be another server."""
    async with TcpRelay(own_server.port) as relay:
        redis = BoundedRedis(connect(f"redis://127.0.0.1:{relay.port}", timeout_seconds=5), timeout_seconds=5)
        ring = RedisRing(redis, 10, ttl_seconds=60)
        await ring.ping()
        with Redis.from_url(own_server.url) as admin:
            admin.replicaof("127.0.0.1", 1)
            with pytest.raises(StorageError, match="READONLY"):
                await ring.append(REQUESTS, counted(0, 2))
            admin.replicaof("NO", "ONE")
        await ring.append(REQUESTS, counted(0, 2))
        await redis.close()

    assert relay.accepted == 2
