"""Who evaluates a model after the store has lost everything: the replica that knows which rows are counted."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from driftgauge.storage.redis_layout import model_key
from tests.support.models import WINE
from tests.support.redis_server import RedisServer
from tests.support.replicas import Replica, Replicas


@pytest.fixture
async def replicas(redis_server: RedisServer, redis_client: Redis) -> AsyncIterator[Replicas]:
    """Three replicas on an empty Redis, of which the last one to look evaluates."""
    await redis_client.ping()
    three = Replicas(redis_server.url, ["reference"] * 3)
    await three.look([WINE], looks=4)
    three.all.sort(key=lambda one: WINE in one.evaluated)
    yield three
    await three.close()


def evaluators(replicas: Replicas) -> list[Replica]:
    """The replicas that evaluated the model at their last look."""
    return [one for one in replicas.all if WINE in one.evaluated]


async def test_the_evaluator_of_before_goes_on(
    replicas: Replicas, redis_client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """The others find the lease free first, and leave it to the replica that has the state in memory; each logs why."""
    before = evaluators(replicas)

    await redis_client.flushall()
    await replicas.look([WINE])

    assert before == evaluators(replicas)
    assert 1 == len(before)
    assert [f"Redis has lost the results of {WINE}, and maybe its rows: it was emptied"] * 3 == (caplog.messages)


async def test_the_evaluator_of_before_goes_on_if_its_term_ended_within_an_evaluation(
    replicas: Replicas, redis_client: Redis
) -> None:
    """The loss shows when it saves: it is the evaluator of before all the same."""
    (before,) = evaluators(replicas)

    await redis_client.flushall()
    before.coordinator.lose(WINE)
    await replicas.look([WINE])

    assert [before] == evaluators(replicas)


async def test_another_replica_goes_on_if_the_evaluator_of_before_is_gone(
    replicas: Replicas, redis_client: Redis
) -> None:
    """After a few looks without it another one evaluates."""
    await replicas.kill(evaluators(replicas)[0])

    await redis_client.flushall()
    await replicas.look([WINE], looks=4)

    assert 1 == len(evaluators(replicas))


async def test_a_lease_that_was_released_is_taken_at_once(replicas: Replicas) -> None:
    """Where the store has lost nothing, no replica waits."""
    (before,) = evaluators(replicas)
    await before.coordinator.release_all()
    replicas.all.remove(before)
    await before.client.aclose()

    await replicas.look([WINE])

    assert 1 == len(evaluators(replicas))


async def test_the_evaluator_of_before_goes_on_after_another_program_has_written_its_keys(
    replicas: Replicas, redis_client: Redis
) -> None:
    """A lease and a notice of random bytes are like lost ones."""
    before = evaluators(replicas)

    for name in ("lease", "notice"):
        await redis_client.set(model_key(WINE, name), b"\x93\x00 random")
    await replicas.look([WINE])

    assert before == evaluators(replicas)


async def test_a_lease_without_a_time_to_live_is_extended_as_ever(replicas: Replicas, redis_client: Redis) -> None:
    """Its holder gives it one again."""
    before = evaluators(replicas)

    await redis_client.persist(model_key(WINE, "lease"))
    await replicas.look([WINE])

    assert before == evaluators(replicas)
    assert await redis_client.ttl(model_key(WINE, "lease")) > 0


async def test_a_lease_that_never_ends_and_has_no_holder_is_deleted(replicas: Replicas, redis_client: Redis) -> None:
    """Once its holder has published nothing for three intervals, another replica evaluates."""
    lease = await redis_client.get(model_key(WINE, "lease"))
    assert lease is not None
    await replicas.kill(evaluators(replicas)[0])

    await redis_client.set(model_key(WINE, "lease"), lease)
    await replicas.look([WINE], looks=6)

    assert 1 == len(evaluators(replicas))
