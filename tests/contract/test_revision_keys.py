"""Every store keeps the revisions of a model apart."""

from dataclasses import replace

import pytest

from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.stream_states import StateStore
from tests.support.redis_fixtures import every_store
from tests.support.rows import REQUESTS, counted

pytestmark = every_store

REVISIONS = ("", "stable", "v2", "v/2}{é")


def stream_of(revision: str) -> StreamKey:
    """The requests of a revision."""
    return replace(REQUESTS, model=REQUESTS.model._replace(revision=revision))


@pytest.fixture
def ring(bounded_redis: BoundedRedis | None) -> RingBuffer:
    """An empty ring of ten rows."""
    return MemoryRing(10) if bounded_redis is None else RedisRing(bounded_redis, 10, ttl_seconds=60)


@pytest.fixture
def states(bounded_redis: BoundedRedis | None) -> StateStore:
    """An empty store of states."""
    return MemoryStates() if bounded_redis is None else RedisStates(bounded_redis, ttl_seconds=60)


async def test_each_revision_has_rows_of_its_own(ring: RingBuffer) -> None:
    """The model without a revision is one of them."""
    for number, revision in enumerate(REVISIONS):
        await ring.append(stream_of(revision), counted(number, 1))
    windows = [await ring.read(stream_of(revision), "s", 2) for revision in REVISIONS]

    assert [[0.0], [1.0], [2.0], [3.0]] == [window.rows[:, 0].tolist() for window in windows]
    assert sorted(map(stream_of, REVISIONS)) == sorted(await ring.streams())


async def test_each_revision_has_states_of_its_own(states: StateStore) -> None:
    """Evidence on one says nothing of another."""
    for revision in REVISIONS:
        await states.save(stream_of(revision), "detector", revision.encode(), 0)
    loaded = [await states.load(stream_of(revision), "detector") for revision in REVISIONS]

    assert [revision.encode() for revision in REVISIONS] == [None if one is None else one.blob for one in loaded]
