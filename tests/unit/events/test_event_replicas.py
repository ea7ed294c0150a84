"""Replicas that share a real Redis send each change once, but for ids that repeat, whatever happens to them."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.storage.leases import StoreClock
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_states import RedisStates
from tests.support.changes import DRIFT, OK, ChangingModels
from tests.support.clock import ManualClock
from tests.support.event_server import ERROR, EventServer
from tests.support.event_server import OK as ACCEPTED
from tests.support.models import WINE
from tests.support.redis_server import RedisServer


class EventReplica:
    """One replica: a connection, leases, and an outbox with a sender.

    Args:
        redis: The URL of Redis.
        url: The receiver.
        clock: The clock of all replicas.
        name: Its name.
        timeout_seconds: Time limit of a call to Redis.
    """

    def __init__(self, redis: str, url: str, clock: ManualClock, name: str, timeout_seconds: float) -> None:
        self.redis = BoundedRedis(connect(redis, timeout_seconds), timeout_seconds)
        self.leases = RedisLeases(self.redis, 3_600, StoreClock(clock))
        self.models = ChangingModels(url, RedisStates(self.redis, 3_600), clock)
        self._name, self._terms, self.token = name, 0, ""

    async def acquire(self) -> bool:
        """Begin a term, if no other replica holds the lease."""
        self._terms += 1
        token = f"{self._name}/{self._terms}"
        if await self.leases.acquire(WINE, token):
            self.token = token
            return True
        return False

    async def release(self) -> None:
        """End the term."""
        await self.leases.release(WINE, self.token)
        self.models.outbox.leave(WINE)
        self.token = ""

    async def look(self, state: str) -> bool:
        """Look at the model, as the holder or as one that was stopped and believes that it still is."""
        return await self.models.look(state, token=self.token)

    async def close(self) -> None:
        """Close the connections."""
        await self.models.target.close()
        await self.redis.close()


@pytest.fixture
async def server() -> AsyncIterator[EventServer]:
    """A receiver."""
    async with EventServer().listening() as listening:
        yield listening


def ids_of(server: EventServer) -> list[bytes]:
    """The ids that were received, in order."""
    lines = [line for head in server.heads for line in head.split(b"\r\n")]
    return [line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"ce-id:")]


async def expire_lease(replica: EventReplica) -> None:
    """Let the lease of a replica end without its knowledge."""
    await replica.redis.client.delete(model_key(WINE, "lease"))


async def test_failover_after_the_send(redis_server: RedisServer, server: EventServer) -> None:
    """A holder that dies after it has sent an event leaves nothing for the next one to send."""
    one, other, _ = await replicas(redis_server, server)
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
    one, other, clock = await replicas(redis_server, server)
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
    one, other, _ = await replicas(redis_server, server)
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
    one, other, _ = await replicas(own_server, server, timeout_seconds=0.5)
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
    one, other, _ = await replicas(redis_server, server)
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
        one, other, clock = await replicas(redis_server, server)
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


async def replicas(
    redis: RedisServer, server: EventServer, timeout_seconds: float = 30
) -> tuple[EventReplica, EventReplica, ManualClock]:
    """Two replicas on an empty Redis, of which the first holds the lease."""
    clock = ManualClock(1_000_000)
    one, other = (EventReplica(redis.url, server.url, clock, name, timeout_seconds) for name in ("a1", "b2"))
    await one.redis.client.flushall()
    assert await one.acquire()
    assert not await other.acquire()
    return one, other, clock
