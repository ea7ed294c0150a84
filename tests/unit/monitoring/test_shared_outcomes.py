"""Two replicas that share one Redis: one evaluates labelled predictions, both show the same."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from driftgauge.page.as_json import models_as_json
from driftgauge.results.notice import HEAD
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.leases import StoreClock
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.clock import ManualClock
from tests.support.labelled_wine import LabelledWine, graded, write_reference
from tests.support.models import WINE

PREFIXES = ("driftgauge_outcome", "driftgauge_performance", "driftgauge_class", "driftgauge_responses")
KEY = "driftgauge:{cellar/wine/predictor/wine}:outcome:result"


class LabelledPair:
    """Two replicas with one directory of references and one Redis.

    Args:
        client: A client of the Redis.
        directory: The directory of the references.
    """

    def __init__(self, client: Redis, directory: Path) -> None:
        write_reference(directory)
        self.client = client
        self.clock = ManualClock(time.time() - 60)  # Redis has a clock of its own, which is never behind
        self.one, self.other = (self._replica(directory) for _ in range(2))

    def _replica(self, directory: Path) -> LabelledWine:
        redis = BoundedRedis(self.client, 5)
        return LabelledWine(
            directory,
            RedisLabels(redis, 1_000, 3_600, LabelSlices()),
            RedisRing(redis, 1_000, ttl_seconds=3_600),
            self.clock,
            states=RedisStates(redis, ttl_seconds=3_600),
            leases=RedisLeases(redis, 3_600, StoreClock()),
            results=RedisResults(redis, 3_600),
        )

    async def settle(self) -> None:
        """Both look, one after the other, until one evaluates and the other one has read its newest result."""
        for replica in (self.one, self.other) * 3:
            self.clock.now += 1
            await replica.monitor.evaluate_all()
        await self.follower().monitor.evaluate_all()

    def holder(self) -> LabelledWine:
        """The replica that evaluates."""
        return self.one if self.one.coordinator.evaluated() else self.other

    def total(self, name: str, **labels: str) -> float:
        """A counter over both."""
        return sum(replica.value(name, WINE, **labels) or 0 for replica in (self.one, self.other))

    def follower(self) -> LabelledWine:
        """The other one."""
        return self.other if self.holder() is self.one else self.one


@pytest.fixture
async def pair(redis_client: Redis, tmp_path: Path) -> AsyncIterator[LabelledPair]:
    """Two replicas; the responses passed one, the labels came to the other."""
    made = LabelledPair(redis_client, tmp_path)
    for replica in (made.one, made.other):
        await replica.watcher.refresh()
    predictions, labels = graded(120, 0.9)
    await made.other.label(await made.one.respond(predictions), labels)
    yield made
    for replica in (made.one, made.other):
        replica.close()


def shown(replica: LabelledWine) -> dict[str, float]:
    """All gauges of labels of a replica."""
    return {
        f"{sample.name}{sample.labels}": sample.value
        for family in replica.metrics.registry.collect()
        for sample in family.samples
        if family.type == "gauge"
        and family.name.startswith(("driftgauge_outcome", "driftgauge_perf", "driftgauge_class"))
    }


def body(replica: LabelledWine) -> bytes:
    """The JSON of `/drift`."""
    assert replica.outcomes is not None
    return models_as_json(replica.latest.by_model(), replica.latest.states(), replica.outcomes.latest.fresh())


async def test_both_replicas_show_what_one_evaluates(pair: LabelledPair) -> None:
    """Every gauge and the JSON are the same, and each row was fed once."""
    await pair.settle()

    assert shown(pair.one) == shown(pair.other)
    assert len(shown(pair.one)) > 40
    assert body(pair.one) == body(pair.other)
    assert b'"performance"' in body(pair.other)
    assert pair.total("driftgauge_detector_rows_total", kind="outcome") == 120


async def test_no_row_is_counted_twice_when_another_replica_goes_on(pair: LabelledPair) -> None:
    """It has the ledger from the notice, also if the state of the detector is lost."""
    await pair.settle()
    await pair.holder().coordinator.release_all()
    keys = [key async for key in pair.client.scan_iter("*:outcome:*detector*")]
    await pair.client.delete(*keys)
    predictions, labels = graded(60, 0.9, 2)
    await pair.other.label(await pair.one.respond(predictions), labels)
    await pair.settle()

    assert keys
    assert pair.total("driftgauge_detector_rows_total", kind="outcome") == 180
    assert pair.total("driftgauge_outcome_rows_total", output="grade") == 180


async def test_a_result_that_is_damaged_is_not_shown(pair: LabelledPair) -> None:
    """The follower counts it once, and shows the one before."""
    await pair.settle()
    before = pair.follower().result
    await pair.client.set(KEY, HEAD + b"damaged")
    for _ in range(2):
        await pair.follower().monitor.evaluate_all()

    assert before is not None
    assert pair.follower().result == before
