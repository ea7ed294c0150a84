"""The contract of every pair store, tested on each adapter."""

import pytest

from driftgauge.inference.payload import Kind
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import Arrival, Half, PairStore, PutResult
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_pairs import RedisPairs
from tests.support.redis_fixtures import every_store

FIRST = PutResult(Arrival.FIRST)
DUPLICATE = PutResult(Arrival.DUPLICATE)


pytestmark = every_store


@pytest.fixture
def pairs(bounded_redis: BoundedRedis | None) -> PairStore:
    """An empty store."""
    if bounded_redis is not None:
        return RedisPairs(bounded_redis, ttl_seconds=60)
    return MemoryPairs(ttl_seconds=60, capacity=1000, clock=lambda: 0.0)


def asked(time: float, key: str = "k") -> Half:
    """A request that passed at `time`."""
    return Half(key, Kind.REQUEST, time)


def responded(time: float, key: str = "k") -> Half:
    """A response that passed at `time`."""
    return Half(key, Kind.RESPONSE, time)


def completed(other_time: float) -> PutResult:
    """The result of the half that completes a pair."""
    return PutResult(Arrival.COMPLETED, other_time)


def replacing(older_time: float) -> PutResult:
    """The result of the half that takes the place of one that waits."""
    return PutResult(Arrival.FIRST, older_time, replaced=True)


async def test_two_halves_complete_a_pair_in_either_order(pairs: PairStore) -> None:
    """The second to come gets the time of the first, be it the request or the response."""
    halves = [asked(1.0, "a"), responded(2.0, "a"), responded(4.0, "b"), asked(3.0, "b")]

    assert [FIRST, completed(1.0), FIRST, completed(4.0)] == await pairs.put(halves)


async def test_halves_of_other_keys_do_not_meet(pairs: PairStore) -> None:
    """A pair has one key."""
    assert [FIRST, FIRST] == await pairs.put([asked(1.0, "a"), responded(2.0, "b")])


async def test_halves_meet_over_several_puts(pairs: PairStore) -> None:
    """What was put is remembered."""
    await pairs.put([asked(1.0)])

    assert [completed(1.0)] == await pairs.put([responded(2.0)])


async def test_a_time_comes_back_exactly(pairs: PairStore) -> None:
    """No digit of the other half's time is lost."""
    await pairs.put([asked(1700000000.1234567)])

    assert [completed(1700000000.1234567)] == await pairs.put([responded(2.0)])


async def test_a_half_delivered_again_is_a_duplicate_while_it_waits(pairs: PairStore) -> None:
    """The same key, kind and time is known, and the waiting half stays."""
    halves = [asked(1.0), asked(1.0), responded(2.0)]

    assert [FIRST, DUPLICATE, completed(1.0)] == await pairs.put(halves)


async def test_a_half_delivered_again_is_a_duplicate_after_completion(pairs: PairStore) -> None:
    """Both halves of a completed pair are still known."""
    await pairs.put([asked(1.0), responded(2.0)])

    assert [DUPLICATE, DUPLICATE] == await pairs.put([asked(1.0), responded(2.0)])


async def test_a_used_id_displaces_the_half_that_is_alone(pairs: PairStore) -> None:
    """The newer half takes the place of the older one and meets the response."""
    halves = [asked(1.0), asked(3.0), responded(4.0)]

    assert [FIRST, replacing(1.0), completed(3.0)] == await pairs.put(halves)


async def test_a_used_id_starts_a_fresh_pair_after_completion(pairs: PairStore) -> None:
    """Neither half of the old pair stands in the way of the new one."""
    await pairs.put([asked(1.0), responded(2.0)])

    assert [FIRST, completed(3.0)] == await pairs.put([asked(3.0), responded(4.0)])


async def test_a_late_duplicate_does_not_complete_a_fresh_pair(pairs: PairStore) -> None:
    """A redelivered response of the old pair does not complete the new request."""
    await pairs.put([asked(1.0), responded(2.0), asked(3.0)])

    assert [DUPLICATE, completed(3.0)] == await pairs.put([responded(2.0), responded(4.0)])


async def test_a_half_is_open_until_it_is_met(pairs: PairStore) -> None:
    """The half that waits is open; neither the one that completes its pair, nor the one that was met."""
    await pairs.put([asked(1.0), asked(1.0, "b")])
    await pairs.put([responded(2.0)])

    assert await pairs.remove([asked(1.0), responded(2.0), asked(1.0, "b")]) == 1


async def test_a_half_that_was_never_put_is_not_open(pairs: PairStore) -> None:
    """A process counts its own halves only."""
    assert await pairs.remove([asked(1.0), responded(1.0, "b")]) == 0


async def test_a_half_is_open_once(pairs: PairStore) -> None:
    """Who removes it counts it, and no other."""
    await pairs.put([asked(1.0)])

    assert [1, 0] == [await pairs.remove([asked(1.0)]), await pairs.remove([asked(1.0)])]


async def test_a_half_that_is_forgotten_is_not_open(pairs: PairStore) -> None:
    """What became of it is not asked any more; its other half may still complete the pair."""
    await pairs.put([asked(1.0)])

    assert [1, 0] == [pairs.forget([asked(1.0)]), await pairs.remove([asked(1.0)])]
    assert [completed(1.0)] == await pairs.put([responded(2.0)])


async def test_a_displaced_half_is_not_counted_again(pairs: PairStore) -> None:
    """Only the half that waits now is unpaired; the replaced half was reported by its put."""
    await pairs.put([asked(1.0), asked(2.0)])

    assert await pairs.remove([asked(1.0), asked(2.0)]) == 1


async def test_a_completed_half_stays_paired_when_its_id_is_used_again(pairs: PairStore) -> None:
    """A client that uses one id for all does not turn its old pairs into losses."""
    for time in range(0, 10, 2):
        await pairs.put([asked(float(time)), responded(time + 1.0)])
    await pairs.put([asked(10.0)])

    assert await pairs.remove([asked(0.0), asked(4.0), asked(8.0), asked(10.0)]) == 1


async def test_halves_that_are_put_again_get_the_results_that_were_lost(pairs: PairStore) -> None:
    """After an error the same halves are put again: none is a duplicate of itself, and the latency is not lost."""
    halves = [asked(1.0), responded(2.0), asked(3.0), asked(4.0)]
    await pairs.put(halves)

    assert [FIRST, completed(1.0), FIRST, replacing(3.0)] == await pairs.put(halves, again=True)
    assert await pairs.remove([asked(1.0), asked(4.0)]) == 1


async def test_halves_that_are_put_again_are_duplicates_if_they_were(pairs: PairStore) -> None:
    """What another replica has stored before is still known."""
    await pairs.put([asked(1.0)])
    await pairs.put([asked(1.0), responded(2.0)])

    assert [DUPLICATE, completed(1.0)] == await pairs.put([asked(1.0), responded(2.0)], again=True)


async def test_a_half_that_is_removed_is_counted_and_never_paired(pairs: PairStore) -> None:
    """The other half that comes later is the first of its key, so that each half counts once."""
    await pairs.put([asked(1.0)])

    assert await pairs.remove([asked(1.0)]) == 1
    assert [FIRST] == await pairs.put([responded(2.0)])


async def test_a_completed_pair_is_not_removed(pairs: PairStore) -> None:
    """It stays known, also where the half of a used id is removed."""
    await pairs.put([asked(1.0), responded(2.0), asked(3.0)])

    assert await pairs.remove([asked(1.0), asked(3.0)]) == 1
    assert await pairs.remove([asked(1.0), responded(2.0)]) == 0
    assert [DUPLICATE] == await pairs.put([responded(2.0)])


async def test_a_half_that_was_replaced_is_not_counted_after_its_successor_was_removed(pairs: PairStore) -> None:
    """Its key is still known, so the half that was reported as replaced does not count as expired."""
    await pairs.put([asked(1.0), asked(2.0)])
    await pairs.remove([asked(2.0)])

    assert await pairs.remove([asked(1.0)]) == 0


async def test_halves_that_are_removed_again_count_as_they_did(pairs: PairStore) -> None:
    """The first count was lost, also where an older pair of the same id is known."""
    await pairs.put([asked(1.0), responded(2.0), asked(3.0), asked(1.0, "b")])
    await pairs.remove([asked(3.0), asked(1.0, "b")])

    assert await pairs.remove([asked(3.0), asked(1.0, "b")], again=True) == 2
    assert [FIRST] == await pairs.put([responded(4.0)])


async def test_no_halves_ask_for_nothing(pairs: PairStore) -> None:
    """An empty batch has no results."""
    assert await pairs.put([]) == []
    assert await pairs.remove([]) == 0
