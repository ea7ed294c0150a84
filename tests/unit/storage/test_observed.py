"""An observed store answers as the one beneath, and tells of each call whether it succeeded."""

from collections.abc import Awaitable, Callable

import pytest

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.storage.memory import MemoryPairs, MemoryStates
from driftgauge.storage.observed import ObservedPairs, ObservedRing, ObservedStates
from driftgauge.storage.pairs import Arrival, Half
from driftgauge.storage.states import State
from tests.support.rings import AwayRing, AwayStates
from tests.support.rows import REQUESTS, counted


async def test_calls_of_states_that_succeed_are_told() -> None:
    """A save that came late succeeded too: the store answered."""
    heard: list[bool] = []
    states = ObservedStates(MemoryStates(), heard.append)
    kept = [await states.save(REQUESTS, "detector", blob, 0) for blob in (b"first", b"late")]
    found = await states.load(REQUESTS, "detector")
    await states.delete(REQUESTS, "detector")

    assert [True, False] == kept
    assert State(b"first", 1) == found
    assert await states.load(REQUESTS, "detector") is None
    assert [True] * 5 == heard


@pytest.mark.parametrize(
    "call",
    [
        lambda states: states.load(REQUESTS, "detector"),
        lambda states: states.save(REQUESTS, "detector", b"", 0),
        lambda states: states.delete(REQUESTS, "detector"),
    ],
    ids=["load", "save", "delete"],
)
async def test_a_call_of_states_that_fails_is_told_and_raised(
    call: Callable[[ObservedStates], Awaitable[object]],
) -> None:
    """The error is the store's own."""
    heard: list[bool] = []

    with pytest.raises(StorageError, match="the store is away"):
        await call(ObservedStates(AwayStates(), heard.append))
    assert [False] == heard


async def test_each_call_of_a_ring_is_told() -> None:
    """First while the store is away, then when it is back; a close is not told, as nobody waits for it."""
    heard: list[bool] = []
    beneath = AwayRing()
    ring = ObservedRing(beneath, heard.append)
    for call in (ring.append(REQUESTS, counted(0, 2)), ring.read(REQUESTS, "s", 2), ring.streams(), ring.ping()):
        with pytest.raises(StorageError, match="the store is away"):
            await call
    beneath.away = False
    await ring.append(REQUESTS, counted(0, 2))
    window = await ring.read(REQUESTS, "s", 2)
    streams = await ring.streams()
    await ring.ping()
    await ring.close()

    assert [1, 2] == list(window.numbers)
    assert [REQUESTS] == streams
    assert [False] * 4 + [True] * 4 == heard


async def test_each_call_of_pairs_is_told() -> None:
    """A duplicate is an answer too."""
    heard: list[bool] = []
    half = Half("k", Kind.REQUEST, 1.0)
    pairs = ObservedPairs(MemoryPairs(ttl_seconds=60, capacity=10, clock=lambda: 0.0), heard.append)
    met = await pairs.put([half, half])
    unpaired = await pairs.unpaired([half])
    await pairs.close()

    assert [Arrival.FIRST, Arrival.DUPLICATE] == [one.arrival for one in met]
    assert unpaired == 1
    assert [True, True] == heard
