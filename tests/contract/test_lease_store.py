"""The contract of every lease store, tested on each adapter."""

import asyncio

import pytest

from driftgauge.storage.leases import Lease, LeaseStore, MemoryLeases, StoreClock, Wish
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_leases import RedisLeases
from tests.support.models import IRIS, WINE
from tests.support.redis_fixtures import every_store

ONE, OTHER = "a1/1", "b2/1"


pytestmark = every_store


@pytest.fixture
def leases(bounded_redis: BoundedRedis | None) -> LeaseStore:
    """A store without leases."""
    if bounded_redis is not None:
        return RedisLeases(bounded_redis, 60, StoreClock())
    return MemoryLeases()


async def test_no_replica_holds_a_lease_at_first(leases: LeaseStore) -> None:
    """Each of the models that are asked for has an entry."""
    assert [Lease(), Lease()] == await leases.look([WINE, IRIS])
    assert await leases.look([]) == []


async def test_a_lease_has_one_holder(leases: LeaseStore) -> None:
    """The second one is refused, and each model has a lease of its own."""
    acquired = [await leases.acquire(WINE, token) for token in (ONE, OTHER)]
    elsewhere = await leases.acquire(IRIS, OTHER)

    assert [True, False, True] == [*acquired, elsewhere]
    assert [ONE, OTHER] == [lease.token for lease in await leases.look([WINE, IRIS])]
    assert ["a1", "b2"] == [lease.holder for lease in await leases.look([WINE, IRIS])]


async def test_of_many_acquisitions_at_once_one_succeeds(leases: LeaseStore) -> None:
    """However they interleave."""
    tokens = [f"r{number}/1" for number in range(20)]
    acquired = await asyncio.gather(*(leases.acquire(WINE, token) for token in tokens))

    assert sum(acquired) == 1
    assert [tokens[acquired.index(True)]] == [lease.token for lease in await leases.look([WINE])]


async def test_only_the_holder_extends_and_releases_a_lease(leases: LeaseStore) -> None:
    """The token decides, also of an earlier term of the same replica."""
    await leases.acquire(WINE, ONE)
    extended = [await leases.extend(WINE, token) for token in (ONE, OTHER, "a1/0")]
    for token in (OTHER, "a1/0"):
        await leases.release(WINE, token)
    kept = await leases.look([WINE])
    await leases.release(WINE, ONE)
    await leases.release(WINE, ONE)

    assert [True, False, False] == extended
    assert [Lease(ONE)] == kept
    assert [Lease()] == await leases.look([WINE])
    assert await leases.acquire(WINE, OTHER)


async def test_a_term_whose_acquisition_got_no_reply_goes_on(leases: LeaseStore) -> None:
    """Whoever sees its own token in the store extends it, without having heard of the acquisition."""
    await leases.acquire(WINE, ONE)
    leases.retain([])
    if isinstance(leases, MemoryLeases):
        await leases.acquire(WINE, ONE)

    assert await leases.extend(WINE, ONE)


async def test_a_wish_is_no_error(leases: LeaseStore) -> None:
    """A store that is shared shows it; one in memory has no replica to show it to."""
    await leases.wish(WINE, Wish("b2"))
    await leases.wish(WINE, Wish("c3", "d1/UTC"))
    lease = (await leases.look([WINE]))[0]

    assert lease.wish == (None if isinstance(leases, MemoryLeases) else Wish("c3", "d1/UTC"))
