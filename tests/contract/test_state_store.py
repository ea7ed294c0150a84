"""The contract of every state store, tested on each adapter."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.memory import MemoryStates
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import State, StateStore
from tests.support.redis_fixtures import every_store
from tests.support.rows import REQUESTS, RESPONSES

pytestmark = every_store


@pytest.fixture
def states(bounded_redis: BoundedRedis | None) -> StateStore:
    """An empty store."""
    if bounded_redis is not None:
        return RedisStates(bounded_redis, ttl_seconds=60)
    return MemoryStates()


async def test_what_was_never_saved_is_not_there(states: StateStore) -> None:
    """A first start finds nothing."""
    assert await states.load(REQUESTS, "detector") is None


async def test_a_first_save_makes_version_one(states: StateStore) -> None:
    """It replaces version 0, which is nothing."""
    kept = await states.save(REQUESTS, "detector", b"first", 0)

    assert kept is True
    assert State(b"first", 1) == await states.load(REQUESTS, "detector")


async def test_each_save_makes_the_next_version(states: StateStore) -> None:
    """Whoever saved knows the version without asking; two digits are no harder than one."""
    kept = [await states.save(REQUESTS, "detector", b"%d" % expected, expected) for expected in range(12)]

    assert [True] * 12 == kept
    assert State(b"11", 12) == await states.load(REQUESTS, "detector")


async def test_of_two_saves_on_one_version_the_first_is_kept(states: StateStore) -> None:
    """Another replica saved first: who comes late hears so, loads, and builds on what it finds."""
    await states.save(REQUESTS, "detector", b"common", 0)
    first = await states.save(REQUESTS, "detector", b"mine", 1)
    late = await states.save(REQUESTS, "detector", b"yours", 1)
    found = await states.load(REQUESTS, "detector")

    assert [True, False] == [first, late]
    assert State(b"mine", 2) == found
    assert await states.save(REQUESTS, "detector", b"mine and yours", 2) is True


async def test_of_two_first_saves_one_is_kept(states: StateStore) -> None:
    """Version 0 means that there must be nothing."""
    kept = [await states.save(REQUESTS, "baseline", blob, 0) for blob in (b"mine", b"yours")]

    assert [True, False] == kept
    assert State(b"mine", 1) == await states.load(REQUESTS, "baseline")


async def test_of_many_saves_at_once_one_is_kept(states: StateStore) -> None:
    """However they interleave."""
    await states.save(REQUESTS, "detector", b"common", 0)
    kept = await asyncio.gather(*(states.save(REQUESTS, "detector", b"%d" % n, 1) for n in range(20)))
    found = await states.load(REQUESTS, "detector")

    assert sum(kept) == 1
    assert State(b"%d" % kept.index(True), 2) == found


@pytest.mark.parametrize("expected", [1, 2, 10])
async def test_a_save_on_a_version_that_is_gone_is_not_kept(states: StateStore, expected: int) -> None:
    """Nothing is there, so nothing is replaced: the store was flushed. A save on version 0 starts again."""
    late = await states.save(REQUESTS, "detector", b"late", expected)
    found = await states.load(REQUESTS, "detector")
    again = await states.save(REQUESTS, "detector", b"again", 0)

    assert (False, None, True) == (late, found, again)
    assert State(b"again", 1) == await states.load(REQUESTS, "detector")


async def test_a_save_on_a_later_version_than_the_kept_is_not_kept(states: StateStore) -> None:
    """The store failed over and lost the last saves: who made them hears so, and goes on from what is left."""
    await states.save(REQUESTS, "detector", b"left", 0)
    late = await states.save(REQUESTS, "detector", b"built on what was lost", 2)
    found = await states.load(REQUESTS, "detector")

    assert late is False
    assert State(b"left", 1) == found


async def test_a_deleted_state_is_not_there(states: StateStore) -> None:
    """And the next begins with version one; to delete nothing is no error."""
    await states.delete(REQUESTS, "baseline")
    for expected in range(3):
        await states.save(REQUESTS, "baseline", b"old", expected)
    await states.delete(REQUESTS, "baseline")
    gone = await states.load(REQUESTS, "baseline")
    await states.save(REQUESTS, "baseline", b"new", 0)

    assert gone is None
    assert State(b"new", 1) == await states.load(REQUESTS, "baseline")


@pytest.mark.parametrize(
    "other",
    [
        (REQUESTS, "baseline"),
        (RESPONSES, "detector"),
        (StreamKey(ModelKey("cellar", "wine", "predictor", "wine-v2"), Kind.REQUEST), "detector"),
        (StreamKey(ModelKey("cellar", "wine", "predictor", "wine-v1}:request:detector"), Kind.REQUEST), "detector"),
    ],
    ids=repr,
)
async def test_states_of_other_streams_and_names_are_apart(states: StateStore, other: tuple[StreamKey, str]) -> None:
    """Neither a save nor a delete reaches them."""
    await states.save(REQUESTS, "detector", b"this", 0)
    kept = await states.save(*other, b"that", 0)
    found = await states.load(*other)
    await states.delete(*other)

    assert kept is True
    assert State(b"that", 1) == found
    assert State(b"this", 1) == await states.load(REQUESTS, "detector")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blob=st.binary(max_size=200))
async def test_any_bytes_come_back_as_they_were(states: StateStore, blob: bytes) -> None:
    """Those that look like a version, and none at all, too."""
    await states.delete(REQUESTS, "detector")
    kept = [await states.save(REQUESTS, "detector", part, version) for version, part in enumerate([b"7\n", blob])]

    assert [True, True] == kept
    assert State(blob, 2) == await states.load(REQUESTS, "detector")


async def test_a_blob_of_a_megabyte_comes_back_whole(states: StateStore) -> None:
    """A baseline may hold many columns."""
    blob = bytes(range(256)) * 4096
    await states.save(REQUESTS, "baseline", blob, 0)

    assert State(blob, 1) == await states.load(REQUESTS, "baseline")
