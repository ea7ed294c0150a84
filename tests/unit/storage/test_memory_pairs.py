"""The pair store in memory forgets by time and by number."""

from driftgauge.inference.payload import Kind
from driftgauge.storage.memory_pairs import MemoryPairs
from driftgauge.storage.pairs import Arrival, Half
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE


def asked(key: str) -> Half:
    """A request with this key."""
    return Half(key, Kind.REQUEST, 1.0)


def responded(key: str) -> Half:
    """A response with this key."""
    return Half(key, Kind.RESPONSE, 2.0)


async def test_a_pair_is_still_known_just_before_twice_its_ttl() -> None:
    """A pair is found after the TTL."""
    clock = ManualClock()
    pairs = MemoryPairs(10, 100, clock)
    await pairs.put([asked("a"), responded("a")])
    clock.now += 19.5

    assert [Arrival.DUPLICATE] == [met.arrival for met in await pairs.put([responded("a")])]


async def test_a_pair_is_forgotten_at_twice_its_ttl() -> None:
    """A pair is removed then, and none of its halves counts as unpaired."""
    clock = ManualClock()
    pairs = MemoryPairs(10, 100, clock)
    await pairs.put([asked("a"), responded("a")])
    clock.now += 20

    assert await pairs.remove([asked("a"), responded("a")]) == 0
    assert [Arrival.FIRST] == [met.arrival for met in await pairs.put([responded("a")])]


async def test_a_duplicate_does_not_lengthen_a_life() -> None:
    """A half that is delivered again and again is forgotten as if it came once."""
    clock = ManualClock()
    pairs = MemoryPairs(10, 100, clock)
    await pairs.put([asked("a")])
    clock.now += 15
    await pairs.put([asked("a")])
    clock.now += 5

    assert [Arrival.FIRST] == [met.arrival for met in await pairs.put([asked("a")])]


async def test_beyond_the_capacity_the_oldest_key_goes() -> None:
    """The store never holds more keys than it was given, and says so of the one that went."""
    pairs = MemoryPairs(10, 2, ManualClock())
    await pairs.put([asked("a"), asked("b"), asked("c")])
    met = await pairs.put([responded("b"), responded("c"), responded("a")])

    assert [Arrival.COMPLETED, Arrival.COMPLETED, Arrival.FIRST] == [response.arrival for response in met]


async def test_a_flood_of_one_model_displaces_no_half_of_another() -> None:
    """The model with the most keys loses its own."""
    pairs = MemoryPairs(10, 100, ManualClock())
    await pairs.put([asked("a")._replace(model=WINE)])
    await pairs.put([asked(f"f{number}")._replace(model=IRIS) for number in range(10_000)])
    (met,) = await pairs.put([responded("a")._replace(model=WINE)])

    assert met.arrival is Arrival.COMPLETED
    assert 10_000 == await pairs.remove([asked(f"f{number}")._replace(model=IRIS) for number in range(10_000)])
