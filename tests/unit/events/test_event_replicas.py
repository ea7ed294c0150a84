"""Replicas that share a real Redis send each change once, but for ids that repeat, whatever happens to them."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from driftgauge.storage.redis_layout import model_key
from tests.support.changes import DRIFT, OK
from tests.support.clock import ManualClock
from tests.support.event_replicas import EventReplica, expire_lease, ids_of, replicas
from tests.support.event_server import ERROR, EventServer
from tests.support.event_server import OK as ACCEPTED
from tests.support.models import WINE
from tests.support.redis_server import RedisServer


@pytest.fixture
async def server() -> AsyncIterator[EventServer]:
    """A receiver."""
    async with EventServer().listening() as listening:
        yield listening


async def started(
    redis: RedisServer, server: EventServer, timeout_seconds: float = 30
) -> tuple[EventReplica, EventReplica, ManualClock]:
    """Two replicas on an empty Redis, of which the first holds the lease."""
    with Redis.from_url(redis.url) as client:
        client.flushall()
    return await replicas(redis.url, server, timeout_seconds)


async def test_failover_after_the_send(redis_server: RedisServer, server: EventServer) -> None:
    """A holder that dies after it has sent an event leaves nothing for the next one to send."""
    one, other, _ = await started(redis_server, server)
    await one.look(DRIFT)
    await one.models.send()
    await expire_lease(one)
    assert await other.acquire()
    await other.look(DRIFT)
    await other.models.send()
    assert 1 == len(server.heads)
    await one.close()
    await other.close()


async def test_failover_before_the_send(redis_server: RedisServer, server: EventServer) -> None:
    """An event that was saved and not sent is sent by the next holder, with its id."""
    one, other, clock = await started(redis_server, server)
    await one.look(DRIFT)
    (waiting,) = [due.event.id for due in [one.models.outbox.next_due()] if due]
    await expire_lease(one)
    clock.now += 90
    assert await other.acquire()
    await other.look(DRIFT)
    await other.models.send()
    await other.models.send()
    assert [waiting.encode()] == ids_of(server)
    await one.close()
    await other.close()


async def test_a_holder_that_was_stopped(redis_server: RedisServer, server: EventServer) -> None:
    """What it still sends has the id that the next holder sends too; it saves nothing, and its term ends."""
    one, other, _ = await started(redis_server, server)
    await one.look(DRIFT)
    await expire_lease(one)
    assert await other.acquire()
    await other.look(DRIFT)
    await one.models.send()
    await other.models.send()
    assert (2, 1) == (len(server.heads), len(set(ids_of(server))))
    assert {} == one.models.counts()
    assert {"sent": 1} == other.models.counts()
    assert not await one.look(OK)
    await one.models.send()
    assert 2 == len(server.heads)
    await one.close()
    await other.close()


async def test_redis_is_away(own_server: RedisServer, server: EventServer) -> None:
    """A change that cannot be saved is not sent; when it is saved, it is sent once."""
    one, other, _ = await started(own_server, server, timeout_seconds=0.5)
    await one.look(OK)
    own_server.pause()
    assert await one.look(DRIFT)
    await one.models.send()
    assert [] == server.heads
    own_server.resume()
    assert await one.look(DRIFT)
    await one.models.send()
    assert 1 == len(server.heads)
    await one.close()
    await other.close()


async def test_emptied(redis_server: RedisServer, server: EventServer) -> None:
    """A store that was emptied gets again what the holder knows; nothing is sent twice."""
    one, other, _ = await started(redis_server, server)
    await one.look(DRIFT)
    await one.models.send()
    token = one.token
    await one.redis.client.flushall()
    await one.redis.client.set(model_key(WINE, "lease"), token)
    one.models.clock.now += 100
    assert await one.look(OK)
    await one.models.send()
    assert 2 == len(set(ids_of(server))) == len(server.heads)
    await one.close()
    await other.close()


STEPS = st.lists(st.sampled_from(["ok", "drift", "send", "fail", "failover", "stop"]), min_size=4, max_size=30)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
async def test_whatever_happens(redis_server: RedisServer, steps: list[str]) -> None:
    """Any order of changes, failures of the receiver and failovers: each change is sent or merged once, in order."""
    async with EventServer().listening() as server:
        one, other, clock = await started(redis_server, server)
        expected, state = 0, OK
        await one.look(OK)
        for step in steps:
            clock.now += 130
            if step in (OK, DRIFT):
                expected += step != state
                state = step
                await one.look(state)
            elif step == "failover":
                await expire_lease(one)
                one.models.outbox.leave(WINE)
                one, other = other, one
                assert await one.acquire()
                await one.look(state)
            elif step == "stop":  # the old holder goes on, and finds that its term has ended
                await other.models.send()
            else:
                server.respond = (lambda _: ERROR) if step == "fail" else (lambda _: ACCEPTED)
                await one.models.send()
        server.respond = lambda _: ACCEPTED
        clock.now += 130
        await one.models.send()
        accepted = dict.fromkeys(ids_of(server))
        assert expected == len(accepted)
        assert expected == sum(one.models.counts().values()) + sum(other.models.counts().values())
        await one.close()
        await other.close()
