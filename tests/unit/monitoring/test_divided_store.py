"""A store of which a part is away: models of the other parts are evaluated, and their results are shown."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis.crc import key_slot

from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.coordinator import Coordinator
from driftgauge.storage.leases import Lease, MemoryLeases, StoreClock
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.models import WINE
from tests.support.monitor_fixture import BY_P_VALUE, MonitorFixture
from tests.support.redis_cluster import RedisCluster
from tests.support.waiting import wait_until

MODELS = [WINE._replace(namespace=f"cellar{number}") for number in range(20)]
TIMEOUT_SECONDS = 2


class PartlyAwayLeases(MemoryLeases):
    """Leases in several places, of which some are away: a call that needs one of these fails.

    Args:
        divided: Whether it says that it has several places.
    """

    def __init__(self, *, divided: bool = True) -> None:
        super().__init__()
        self.away: set[ModelKey] = set()
        self.looks: list[int] = []
        self._divided = divided

    @property
    def is_divided(self) -> bool:
        """As set."""
        return self._divided

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """If it is divided, each model that is away is in a place of its own, and the others are in one."""
        if not self._divided:
            return [list(models)]
        here = [model for model in models if model not in self.away]
        return [[model] for model in models if model in self.away] + ([here] if here else [])

    async def look(self, models: Sequence[ModelKey]) -> list[Lease]:
        """The leases, unless any of them is away."""
        self.looks.append(len(models))
        if not self.away.isdisjoint(models):
            raise StorageError(f"the store could not read {len(models)} leases")
        return await super().look(models)


def coordinator_of(leases: PartlyAwayLeases) -> Coordinator:
    """A coordinator of models without references."""
    return Coordinator(leases, lambda _: "", time.time, fresh_seconds=90)


async def test_a_store_that_is_whole_is_read_with_one_call() -> None:
    """If all of it is in one place."""
    leases = PartlyAwayLeases()
    found = await coordinator_of(leases).look(MODELS)

    assert [Lease()] * 20 == found
    assert [20] == leases.looks


async def test_each_model_has_its_lease_or_its_error() -> None:
    """The order is that of the models."""
    leases = PartlyAwayLeases()
    leases.away = set(MODELS[::3])
    found = await coordinator_of(leases).look(MODELS)

    assert MODELS[::3] == [model for model, one in zip(MODELS, found, strict=True) if isinstance(one, StorageError)]
    assert [1] * 7 + [13] == leases.looks


@pytest.mark.parametrize(("divided", "models", "calls"), [(True, 20, 20), (True, 1, 1), (False, 20, 1)])
async def test_a_store_that_is_away_for_all_raises(divided: bool, models: int, calls: int) -> None:  # noqa: FBT001
    """The error is that of the first place; nothing is asked twice."""
    leases = PartlyAwayLeases(divided=divided)
    leases.away = set(MODELS)
    with pytest.raises(StorageError, match=f"could not read {models // calls} leases"):
        await coordinator_of(leases).look(MODELS[:models])

    assert calls == len(leases.looks)


async def test_an_outage_of_a_part_is_said_once_and_counted_for_its_models(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Though models of another batch can be read at every look; after it ended, the next one is said again."""
    caplog.set_level(logging.WARNING)
    leases = PartlyAwayLeases()
    fixture = MonitorFixture(tmp_path, leases=leases)
    fixture.use_models(KnownModels(40))
    others = [WINE._replace(namespace=f"other{number}") for number in range(20)]
    for model in (*MODELS, *others):
        fixture.models.admit(model)
    for away in (set(MODELS[:2]), set(MODELS[:2]), set(), set(MODELS[:1])):
        leases.away = away
        await fixture.monitor.evaluate_all()
    failures = [fixture.value("driftgauge_evaluation_failures_total", model) or 0 for model in MODELS]

    assert set(MODELS + others) == set(fixture.coordinator.evaluated())
    assert [6, 4] + [0] * 18 == failures  # both streams
    assert ["models whose leases cannot be read are not evaluated: the store could not read 1 leases"] * 2 == [
        record.getMessage() for record in caplog.records
    ]


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    """A cluster that serves the slots that have a primary."""
    with RedisCluster("--cluster-require-full-coverage", "no") as cluster:
        yield cluster


def kill_a_shard(cluster: RedisCluster, number: int) -> None:
    """Kill a primary and its replica, and wait until the others know it."""
    primary = cluster.nodes[number]
    node = cluster.id(primary)
    cluster.nodes[number + 3].kill()
    primary.kill()
    alive = [one for one in cluster.nodes if one.running]

    def is_known() -> bool:
        """Whether all others call it failed."""
        replies = [str(cluster.command(one, "CLUSTER", "NODES")) for one in alive]
        return all(any(node in line and "fail" in line for line in _lines(reply)) for reply in replies)

    wait_until(is_known, "a primary that failed")


def _lines(reply: str) -> list[str]:
    return [line for line in reply.replace("\\n", "\n").splitlines() if "fail?" not in line]


def replica(cluster: RedisCluster, directory: Path) -> tuple[BoundedRedis, MonitorFixture]:
    """A process with all stores in the cluster, which knows all models."""
    redis = BoundedRedis(connect(cluster.url, TIMEOUT_SECONDS), TIMEOUT_SECONDS)
    ring, states = RedisRing(redis, 100, ttl_seconds=600), RedisStates(redis, ttl_seconds=600)
    leases, results = RedisLeases(redis, 600, StoreClock()), RedisResults(redis, 600)
    fixture = MonitorFixture(directory, ring, states, BY_P_VALUE, leases, results)
    fixture.use_models(KnownModels(20))
    for model in MODELS:
        fixture.models.admit(model)
    return redis, fixture


@pytest.mark.parametrize("number", range(3))
async def test_models_of_living_slots_go_on_in_a_cluster(cluster: RedisCluster, tmp_path: Path, number: int) -> None:
    """One replica evaluates them, the other one and one that starts meanwhile show its results.

    So it is whichever primary is gone with its replica: the client asks the first one what concerns no slot.
    """
    lines = [f"{9 + 0.1 * row},{3 + 0.01 * row}" for row in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    (one_redis, one), (other_redis, other) = (replica(cluster, tmp_path) for _ in range(2))
    for fixture in (one, other):
        await fixture.watcher.refresh()
    for model in MODELS:
        await one.fill(model, 9.0)
    owner = {model: cluster.owner(key_slot(model_key(model, "lease").encode())) for model in MODELS}
    await one.monitor.evaluate_all()
    await other.monitor.evaluate_all()
    await asyncio.to_thread(kill_a_shard, cluster, number)
    served = {model for model in MODELS if owner[model] is not cluster.nodes[number]}
    for fixture in (one, other, one, other):
        fixture.clock.now += 30
        await fixture.monitor.evaluate_all()
    late_redis, late = replica(cluster, tmp_path)
    await late.watcher.refresh()
    late.clock.now = one.clock.now
    await late.monitor.evaluate_all()
    shown = [_newly_shown(fixture) for fixture in (one, other, late)]
    for redis in (one_redis, other_redis, late_redis):
        await redis.close()

    assert 0 < len(served) < 20
    assert [served] * 3 == shown


@pytest.mark.parametrize("number", range(3))
async def test_a_shard_that_hangs_holds_up_no_other(tmp_path: Path, number: int) -> None:
    """Its server accepts connections and says nothing: models of the others are evaluated, shown and restored."""
    lines = [f"{9 + 0.1 * row},{3 + 0.01 * row}" for row in range(50)]
    (tmp_path / "wine.csv").write_text("\n".join(["alcohol,ph", *lines]) + "\n")
    options = ("--cluster-require-full-coverage", "no", "--cluster-replica-no-failover", "yes")
    with RedisCluster(*options) as cluster:
        (one_redis, one), (other_redis, other) = (replica(cluster, tmp_path) for _ in range(2))
        for fixture in (one, other):
            await fixture.watcher.refresh()
        for model in MODELS:
            await one.fill(model, 9.0)
        owner = {model: cluster.owner(key_slot(model_key(model, "lease").encode())) for model in MODELS}
        served = {model for model in MODELS if owner[model] is not cluster.nodes[number]}
        await one.monitor.evaluate_all()
        await other.monitor.evaluate_all()
        cluster.nodes[number].pause()
        try:
            for fixture in (one, other):
                fixture.clock.now += 30
                await fixture.monitor.evaluate_all()
            late_redis, late = replica(cluster, tmp_path)
            late.use_models(KnownModels(20))
            await late.watcher.refresh()
            late.clock.now = one.clock.now
            restorer = late.restorer(None)
            await restorer.advance()
            restored = set(late.models)
            await late.monitor.evaluate_all()
        finally:
            cluster.nodes[number].resume()
        shown = [_newly_shown(fixture) for fixture in (one, other, late)]
        for _ in range(5):  # it pauses before it tries again
            await restorer.advance()
        all_restored = set(late.models)
        for redis in (one_redis, other_redis, late_redis):
            await redis.close()

    assert 0 < len(served) < 20
    assert [served] * 3 == shown
    assert [served, set(MODELS)] == [restored - {WINE}, all_restored - {WINE}]


def _newly_shown(fixture: MonitorFixture) -> set[ModelKey]:
    """The models whose requests have an evaluation of after the first look."""
    found = {model: fixture.latest.evaluation(model, Kind.REQUEST) for model in MODELS}
    return {model for model, evaluation in found.items() if evaluation is not None and evaluation.time > 1_000}
