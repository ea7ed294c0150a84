"""Leases on one Redis with several replicas: each model has one evaluator, whatever happens to the replicas."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from driftgauge.errors import LeaseLostError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import StreamKey
from tests.support.redis_server import RedisServer
from tests.support.replicas import Replicas

SPREAD = 600
LOOKS_TO_CONVERGE = 4


def models_of(number: int) -> list[ModelKey]:
    """So many models of one namespace."""
    names = [f"model-{index}" for index in range(number)]
    return [ModelKey("cellar", name, "predictor", name) for name in names]


def evaluated(replicas: Replicas) -> list[ModelKey]:
    """What was evaluated at the newest look, sorted; a model is in it as often as it was evaluated."""
    return sorted(model for replica in replicas.all for model in replica.evaluated)


async def started(server: RedisServer, client: Redis, references: Sequence[str]) -> Replicas:
    """Replicas on an empty server."""
    await client.flushall()
    return Replicas(server.url, references)


@pytest.mark.parametrize("late", [False, True])
async def test_models_spread_over_the_replicas(redis_server: RedisServer, redis_client: Redis, late: bool) -> None:  # noqa: FBT001
    """Of 600 models each of six replicas evaluates 60 to 140, also if five of them start later."""
    replicas = await started(redis_server, redis_client, ["same"] * 6)
    models = models_of(SPREAD)
    if late:
        await replicas.all[0].look(models)
    await replicas.look(models, LOOKS_TO_CONVERGE)
    shares = [len(replica.evaluated) for replica in replicas.all]
    once = evaluated(replicas)
    await replicas.close()

    assert sorted(models) == once
    assert all(60 <= share <= 140 for share in shares)


async def test_a_killed_replica_is_replaced_at_the_first_look_after_its_leases(
    redis_server: RedisServer, redis_client: Redis
) -> None:
    """No model is without an evaluator, and those of the others stay where they are."""
    replicas = await started(redis_server, redis_client, ["same"] * 4)
    models = models_of(60)
    await replicas.look(models, LOOKS_TO_CONVERGE)
    stayed = {replica.coordinator.replica: set(replica.evaluated) for replica in replicas.all[1:]}
    await replicas.kill(replicas.all[0])
    await replicas.look(models)
    at_first = set(evaluated(replicas))
    await replicas.look(models, LOOKS_TO_CONVERGE)
    once = evaluated(replicas)
    kept = [stayed[replica.coordinator.replica] <= set(replica.evaluated) for replica in replicas.all]
    await replicas.close()

    assert set(models) == at_first
    assert sorted(models) == once
    assert all(kept)


async def test_a_replica_that_ends_in_order_is_replaced_at_once(redis_server: RedisServer, redis_client: Redis) -> None:
    """It releases its leases, so that no replica waits for their end."""
    replicas = await started(redis_server, redis_client, ["same"] * 3)
    models = models_of(30)
    await replicas.look(models, LOOKS_TO_CONVERGE)
    leaving = replicas.all.pop()
    await leaving.coordinator.release_all()
    await leaving.client.aclose()
    await replicas.look(models)
    at_first = set(evaluated(replicas))
    await replicas.close()

    assert set(models) == at_first


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["look", "kill", "start", "change", "flush"]), st.integers(0, 9)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
async def test_whatever_happens_each_model_has_one_evaluator_in_the_end(
    redis_server: RedisServer, redis_client: Redis, actions: list[tuple[str, int]]
) -> None:
    """Replicas start, end and change their references in any order; afterwards those with the newest one evaluate."""
    replicas = await started(redis_server, redis_client, ["first", "first"])
    models, newest = models_of(6), "first"
    for action, which in actions:
        replica = replicas.all[which % len(replicas.all)]
        if action == "look":
            replicas.clock.now += 10
            await replica.look(models)
        elif action == "kill" and len(replicas.all) > 1:
            await replicas.kill(replica)
        elif action == "start":
            replicas.all += Replicas(redis_server.url, [newest]).all
            replicas.all[-1].clock.now = replicas.clock.now
        elif action == "change":
            newest = replica.reference = f"version-{len(actions)}-{which}"
        elif action == "flush":
            await redis_client.flushall()
    for replica in replicas.all:
        replica.reference = "last"  # the change has reached them all
    await replicas.look(models, 10)
    once = evaluated(replicas)
    await replicas.close()

    assert sorted(models) == once


async def test_at_most_one_of_many_saves_on_a_version_succeeds(redis_server: RedisServer, redis_client: Redis) -> None:
    """Replicas that all believe to hold the lease save at once, term after term; only the holder's saves count."""
    replicas = await started(redis_server, redis_client, ["same"] * 5)
    model = models_of(1)[0]
    stream = StreamKey(model, Kind.REQUEST)
    tokens = [f"{replica.coordinator.replica}/{index}" for index, replica in enumerate(replicas.all)]

    async def save(index: int, version: int) -> int:
        """Save as one replica; returns 1 if it was saved."""
        states = RedisStates(BoundedRedis(replicas.all[index].client, 30), 60)
        try:
            return int(await states.save(stream, "detector", tokens[index].encode(), version, tokens[index]))
        except LeaseLostError:
            return 0

    writers = []
    for version, holder in enumerate([0, 3, 1, 1, 4, 2]):
        await redis_client.delete("driftgauge:{cellar/model-0/predictor/model-0}:lease")
        await replicas.all[holder].leases.acquire(model, tokens[holder])
        saved = await asyncio.gather(*(save(index, version) for index in [*range(5), *range(5)]))
        writers.append((sum(saved), saved[holder] + saved[holder + 5]))
    await replicas.close()

    assert [(1, 1)] * 6 == writers
