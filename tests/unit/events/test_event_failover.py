"""Events outlive the master of Redis: each change is sent once, but for ids that repeat, through real failovers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.crc import key_slot

from driftgauge.storage.redis_layout import model_key
from tests.support.changes import DRIFT, OK
from tests.support.event_replicas import EventReplica, ids_of, replicas
from tests.support.event_server import OK as ACCEPTED
from tests.support.event_server import EventServer
from tests.support.models import WINE
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_sentinel import RedisSentinel
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

TIMEOUT_SECONDS = 1
SLOT = key_slot(model_key(WINE, "lease").encode())
MOST_LOOKS = 60

Topology = tuple[str, Callable[[], RedisServer], Callable[[RedisServer], None]]
"""The address, the master of the model's keys, and what waits until another one has taken over."""


@contextmanager
def sentinel() -> Iterator[Topology]:
    """A master with a replica, behind Sentinels."""
    with RedisSentinel() as servers:
        yield servers.url, lambda: servers.master, servers.wait_for_failover


@contextmanager
def cluster() -> Iterator[Topology]:
    """Three primaries, each with a replica."""
    with RedisCluster() as servers:
        yield servers.url, lambda: servers.owner(SLOT), lambda old: servers.wait_for_failover(old, SLOT)


@pytest.fixture(params=[sentinel, cluster], ids=["sentinel", "cluster"])
def topology(request: pytest.FixtureRequest) -> Iterator[Topology]:
    """Servers of one test."""
    with request.param() as servers:
        yield servers


@pytest.fixture
async def server() -> AsyncIterator[EventServer]:
    """A receiver."""
    async with EventServer().listening() as listening:
        yield listening


def wait_for_replica(master: RedisServer) -> None:
    """Wait until the replica of a master has all that was written."""

    def has_all() -> bool:
        """Whether the offsets are equal."""
        with Redis.from_url(master.url, socket_timeout=10) as client:
            found = client.info("replication")
        return bool(found["slave0"]["offset"] == found["master_repl_offset"])

    wait_until(has_all, "a replica that has all")


async def settle(one: EventReplica, other: EventReplica, state: str, since: float | None = None) -> EventReplica:
    """Look, and send, until a holder has nothing left to send; the other one takes the lease if it was lost."""
    for _ in range(MOST_LOOKS):
        one.models.clock.now += 130
        goes_on = await one.look(state, since)
        await one.models.send()
        if not goes_on:
            one.models.outbox.leave(WINE)
            one, other = other, one
            assert await one.acquire()
            continue
        if one.models.outbox.next_due() is None and one.models.outbox.pending() == 0 and await is_saved(one):
            return one
    raise AssertionError(f"After {MOST_LOOKS} looks events still wait.")


async def is_saved(replica: EventReplica) -> bool:
    """Whether the store has the lease of the replica, and so whatever it saves."""
    try:
        found = await replica.redis.client.get(model_key(WINE, "lease"))
    except Exception:  # noqa: BLE001 - the master is away, by whichever error
        return False
    return bool(found == replica.token.encode())


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_an_event_that_waits_outlives_the_master(topology: Topology, server: EventServer, fault: str) -> None:
    """It was saved and not sent when the master went; after the failover it is sent once, and so is the next change."""
    url, master, wait_for_failover = topology
    one, other, _ = await replicas(url, server, TIMEOUT_SECONDS)
    await one.look(OK)
    await one.look(DRIFT)
    due = one.models.outbox.next_due()
    assert due is not None
    old = master()
    await asyncio.to_thread(wait_for_replica, old)
    getattr(old, fault)()
    await asyncio.to_thread(wait_for_failover, old)
    holder = await settle(one, other, DRIFT)
    assert {due.event.id.encode()} == set(ids_of(server))
    await settle(holder, other if holder is one else one, OK)
    assert 2 == len(set(ids_of(server)))
    assert {"sent": 2} == _counts(one, other)
    await one.close()
    await other.close()


async def test_a_master_that_dies_while_the_event_is_accepted(topology: Topology, server: EventServer) -> None:
    """That it was sent cannot be saved: it may be sent again, with the same id."""
    url, master, wait_for_failover = topology
    one, other, _ = await replicas(url, server, TIMEOUT_SECONDS)
    await one.look(DRIFT)
    old = master()
    await asyncio.to_thread(wait_for_replica, old)

    def accept_and_kill(_: int) -> bytes:
        """Accept the event when the master is gone."""
        if old.running:
            old.kill()
        return ACCEPTED

    server.respond = accept_and_kill
    await one.models.send()
    assert 1 == len(server.heads)
    await asyncio.to_thread(wait_for_failover, old)
    await settle(one, other, DRIFT)
    assert 1 == len(set(ids_of(server)))
    await one.close()
    await other.close()


async def test_a_replica_that_lost_the_newest_writes(server: EventServer) -> None:
    """The event that is made again after the failover has the id of the one that was sent: the alarm began then."""
    with RedisSentinel() as servers:
        one, other, clock = await replicas(servers.url, server, TIMEOUT_SECONDS)
        await one.look(OK)
        old = servers.master
        (behind,) = (one for one in servers.servers if one is not old)
        await asyncio.to_thread(wait_for_replica, old)
        behind.pause()
        servers.command(old, "CLIENT", "KILL", "TYPE", "replica")  # what is in its socket would come through
        began = clock.now - 600
        await one.look(DRIFT, began)
        await one.models.send()
        assert 1 == len(server.heads)
        old.kill()
        behind.resume()
        await asyncio.to_thread(servers.wait_for_failover, old)
        one.models.outbox.leave(WINE)  # the holder ends with what it knew
        await expire(servers.master)
        assert await other.acquire()
        await settle(other, one, DRIFT, began)
        assert (2, 1) == (len(server.heads), len(set(ids_of(server))))
        await one.close()
        await other.close()


async def expire(master: RedisServer) -> None:
    """Let the lease end."""
    with Redis.from_url(master.url, socket_timeout=10) as client:
        client.delete(model_key(WINE, "lease"))


async def test_all_keys_of_an_event_are_in_one_slot(server: EventServer) -> None:
    """A cluster keeps lease and outbox of a model together, so that only the holder can save."""
    with RedisCluster() as servers:
        one, other, _ = await replicas(servers.url, server, TIMEOUT_SECONDS)
        await one.look(DRIFT)
        keys = {key for node in servers.nodes for key in servers.command(node, "KEYS", "*")}
        assert 2 <= len(keys)
        assert {SLOT} == {key_slot(key) for key in keys}
        await one.close()
        await other.close()


def _counts(*every: EventReplica) -> dict[str, float]:
    total: dict[str, float] = {}
    for replica in every:
        for outcome, number in replica.models.counts().items():
            total[outcome] = total.get(outcome, 0) + number
    return total
