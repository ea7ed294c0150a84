"""Two monitors that share one Redis: one evaluates, both show the same."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from redis.asyncio import Redis

from driftgauge.drift.budget import Budget
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.sharing import SharedResults
from driftgauge.page.as_json import models_as_json
from driftgauge.results.notice import unpack_notice
from driftgauge.results.packed_report import report_digest
from driftgauge.storage.leases import Lease, StoreClock
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

REQUESTS = StreamKey(WINE, Kind.REQUEST)
KEY = "driftgauge:{cellar/wine/predictor/wine}:"
HOURLY = Rule(0.05, Correction.HOLM, min_rows=20, budget=Budget(3_600, 30, 0.05))
OWN = (
    "driftgauge_leases",
    "driftgauge_evaluator",
    "driftgauge_requests_in_flight",
    "driftgauge_sample_ratio",
    "process_",
)
"""The gauges that differ between replicas."""


def write_reference(directory: Path, seed: int) -> None:
    """Write a reference of two normal columns."""
    rows = np.random.default_rng(seed).standard_normal((2_000, 2))
    directory.mkdir(exist_ok=True)
    np.savez(directory / "wine.npz", data=rows, columns=np.array(["alcohol", "ph"]))


class Pair:
    """Two replicas with a directory of references each, and one Redis.

    Args:
        client: A client of the Redis.
        directory: The parent of their directories.
    """

    def __init__(self, client: Redis, directory: Path) -> None:
        self.client = client
        self.directories = [directory / "one", directory / "other"]
        for each in self.directories:
            write_reference(each, 5)
        self.one, self.other = (self._fixture(each) for each in self.directories)

    def _fixture(self, directory: Path) -> MonitorFixture:
        redis = BoundedRedis(self.client, 5)
        fixture = MonitorFixture(
            directory,
            RedisRing(redis, 100, ttl_seconds=60),
            RedisStates(redis, ttl_seconds=60),
            HOURLY,
            RedisLeases(redis, 3_600, StoreClock()),
            RedisResults(redis, 60),
        )
        fixture.models.admit(WINE)
        return fixture

    async def look(self, looks: int = 1) -> None:
        """Both look, one after the other, some seconds later."""
        for _ in range(looks):
            for fixture in (self.one, self.other):
                fixture.clock.now += 30
                await fixture.monitor.evaluate_all()

    async def settle(self) -> None:
        """Both look until one evaluates, and the other one has read its newest result."""
        await self.look(3)
        await self.follower().monitor.evaluate_all()

    def holder(self) -> MonitorFixture:
        """The replica that evaluates."""
        holders = [fixture for fixture in (self.one, self.other) if fixture.coordinator.evaluated()]
        assert len(holders) == 1
        return holders[0]

    def follower(self) -> MonitorFixture:
        """The other one."""
        return self.other if self.holder() is self.one else self.one

    def total(self, name: str) -> float:
        """A counter of requests, over both."""
        return sum(fixture.value(name, kind="request") or 0 for fixture in (self.one, self.other))


@pytest.fixture
async def pair(redis_client: Redis, tmp_path: Path) -> Pair:
    """Two replicas that have loaded their references, and a window of 50 rows that has moved."""
    made = Pair(redis_client, tmp_path)
    for fixture in (made.one, made.other):
        await fixture.watcher.refresh()
    await made.one.put(REQUESTS, np.random.default_rng(1).standard_normal((50, 2)) + 3)
    return made


def shown(fixture: MonitorFixture) -> dict[str, float]:
    """All gauges of a replica."""
    return {
        f"{sample.name}{sample.labels}": sample.value
        for family in fixture.metrics.registry.collect()
        for sample in family.samples
        if family.type == "gauge" and not sample.name.startswith(OWN)
    }


async def test_both_replicas_show_what_one_evaluates(pair: Pair) -> None:
    """Every gauge, and the JSON of `/drift`, is the same, and each row was fed once."""
    await pair.settle()
    bodies = [models_as_json(one.latest.by_model(), one.latest.states()) for one in (pair.one, pair.other)]

    assert shown(pair.one) == shown(pair.other)
    assert len(shown(pair.one)) > 50
    assert bodies[0] == bodies[1]
    assert pair.total("driftgauge_detector_rows_total") == 50


async def test_the_age_of_a_result_is_that_of_its_evaluation(pair: Pair) -> None:
    """A follower that reads it later does not make it younger; three intervals later it is stale in both."""
    await pair.settle()
    evaluated = pair.holder().latest.evaluation(WINE, Kind.REQUEST)
    follower = pair.follower()
    follower.clock.now += 60
    await follower.monitor.evaluate_all()
    copied = follower.latest.evaluation(WINE, Kind.REQUEST)
    follower.clock.now = pair.holder().clock.now + 91
    await follower.monitor.evaluate_all()

    assert evaluated is not None
    assert copied == evaluated
    assert follower.latest.evaluation(WINE, Kind.REQUEST) is None


@pytest.mark.parametrize("rollback", [False, True])
async def test_while_references_differ_the_newer_one_evaluates(pair: Pair, rollback: bool) -> None:  # noqa: FBT001
    """One reset for each change, however long the change is under way; and one for a rollback."""
    await pair.settle()
    behind, ahead = pair.follower(), pair.holder()
    directory = pair.directories[0 if pair.follower() is pair.one else 1]
    write_reference(directory, 6)  # reaches the replica that does not evaluate first
    await behind.load_changed_reference()
    behind, ahead = ahead, behind
    for _ in range(6):
        await pair.one.put(REQUESTS, np.random.default_rng(2).standard_normal((5, 2)))
        await pair.look()
    resets, rows = [pair.total("driftgauge_detector_resets_total")], pair.total("driftgauge_detector_rows_total")
    evaluator = pair.holder()
    if rollback:
        write_reference(directory, 5)
        await ahead.load_changed_reference()
    else:
        write_reference(pair.directories[1 - pair.directories.index(directory)], 6)
        await behind.load_changed_reference()
    await pair.look(3)
    await pair.settle()
    resets.append(pair.total("driftgauge_detector_resets_total"))

    assert evaluator is ahead
    assert rows <= 2 * 80  # the new detector may be fed the window again, once
    assert resets == [1, 2 if rollback else 1]
    assert shown(pair.one) == shown(pair.other)


async def test_a_holder_that_was_stopped_writes_nothing_more(pair: Pair) -> None:
    """Its lease has ended meanwhile, and the other one evaluates; its save and its result are refused."""
    await pair.settle()
    stopped, other = pair.holder(), pair.follower()
    lease = (await stopped.coordinator.look([WINE]))[0]
    assert isinstance(lease, Lease)
    duty = await stopped.coordinator.begin(WINE, lease)
    await pair.client.delete(f"{KEY}lease")
    await pair.one.put(REQUESTS, np.random.default_rng(2).standard_normal((20, 2)))
    other.clock.now += 30
    await other.monitor.evaluate_all()
    before = await pair.client.mget(f"{KEY}request:detector", f"{KEY}request:result", f"{KEY}notice")
    await pair.one.put(REQUESTS, np.random.default_rng(3).standard_normal((20, 2)))
    goes_on = await stopped.model_evaluator.evaluate(WINE, duty.token)
    assert stopped.sharing is not None
    published = await stopped.sharing.publish(WINE, duty)
    after = await pair.client.mget(f"{KEY}request:detector", f"{KEY}request:result", f"{KEY}notice")

    assert [False, False] == [goes_on, published]
    assert before == after
    assert pair.total("driftgauge_detector_rows_total") == 70


async def test_a_killed_holder_is_replaced_and_no_row_is_fed_twice(pair: Pair) -> None:
    """The other one continues from the saved state, at its first look after the end of the lease."""
    await pair.settle()
    other = pair.follower()
    await pair.client.delete(f"{KEY}lease", f"{KEY}wish")
    await pair.one.put(REQUESTS, np.random.default_rng(2).standard_normal((20, 2)))
    other.clock.now += 90
    await other.monitor.evaluate_all()

    assert [WINE] == other.coordinator.evaluated()
    assert pair.total("driftgauge_detector_rows_total") == 70
    assert other.value("driftgauge_window_rows") == 70


async def test_no_row_is_counted_twice_though_the_holder_and_its_state_are_lost_together(pair: Pair) -> None:
    """The other one knows from the notices which rows are counted, and feeds the window to a detector that starts."""
    await pair.settle()
    other = pair.follower()
    await pair.client.delete(f"{KEY}wish")
    for name in ("lease", "notice", "request:detector"):
        await pair.client.set(KEY + name, b"\x93 random")
    await pair.one.put(REQUESTS, np.random.default_rng(2).standard_normal((20, 2)))
    for _ in range(5):
        other.clock.now += 30
        await other.monitor.evaluate_all()

    assert [WINE] == other.coordinator.evaluated()
    assert pair.total("driftgauge_detector_rows_total") == 70


@pytest.mark.parametrize("key", ["notice", "request:result"])
@pytest.mark.parametrize("value", [b"", b"text", b"driftgauge-result 1\n[{}]", b"driftgauge-result 1\n", b"\x00" * 99])
async def test_foreign_results_are_not_shown(pair: Pair, key: str, value: bytes) -> None:
    """The last result stays until the evaluator publishes the next one."""
    await pair.settle()
    follower = pair.follower()
    before = shown(follower)
    await pair.client.set(f"{KEY}{key}", value)
    await follower.monitor.evaluate_all()
    meanwhile = shown(follower)
    await pair.settle()

    assert before == meanwhile
    assert shown(pair.one) == shown(pair.other)
    assert not follower.value("driftgauge_evaluation_failures_total")


async def test_a_report_that_cannot_be_read_is_counted_once(pair: Pair) -> None:
    """Its notice names it, look for look; the last result stays."""
    await pair.settle()
    unreadable: list[None] = []
    sharing = SharedResults(
        RedisResults(BoundedRedis(pair.client, 5), 60),
        pair.follower().latest,
        pair.follower().clock,
        lambda: unreadable.append(None),
    )
    report = b"driftgauge-result 1\ntext"
    notice = unpack_notice(cast("bytes", await pair.client.get(f"{KEY}notice")))  # the client decodes nothing
    stream = replace(notice.streams[Kind.REQUEST], report=report_digest(report))
    await pair.client.set(f"{KEY}request:result", report)
    before = shown(pair.follower())
    for _ in range(3):
        await sharing.follow({WINE: replace(notice, streams={Kind.REQUEST: stream})})
    sharing.close()

    assert before == shown(pair.follower())
    assert len(unreadable) == 1


async def test_results_of_another_version_are_not_shown_and_said_once(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """While a new version is rolled out, replicas of both share the leases."""
    caplog.set_level(logging.WARNING)
    await pair.settle()
    for number in range(3):
        await pair.client.set(f"{KEY}notice", b"driftgauge-result 2\n[%d]" % number)
        await pair.follower().monitor.evaluate_all()

    assert ["results of another version of driftgauge (driftgauge-result 2) in Redis are not shown"] == caplog.messages


async def test_results_that_cannot_be_read_are_said_once(
    pair: Pair, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leases can be read, so that evaluations go on."""

    async def fail(_: object) -> list[bytes | None]:
        """As if Redis refused."""
        raise StorageError("Redis could not read results")

    await pair.settle()
    caplog.clear()
    with monkeypatch.context() as patch:
        patch.setattr(pair.follower().results, "read", fail)
        await pair.look(3)
    await pair.look()

    assert ["the results of other replicas cannot be shown: Redis could not read results"] == [
        record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING
    ]
    assert pair.follower().value("driftgauge_evaluation_failures_total") == 6  # both streams, three looks


async def test_results_that_cannot_be_published_are_shown_by_the_evaluator(pair: Pair) -> None:
    """Redis is out of memory: the verdict is unsaved, and the other replica's grows old."""
    await pair.settle()
    holder = pair.holder()
    await pair.client.config_set("maxmemory", 1)
    holder.clock.now += 30
    await holder.monitor.evaluate_all()
    await pair.client.config_set("maxmemory", 0)

    assert holder.value("driftgauge_evaluation_timestamp_seconds") == holder.clock.now
    assert holder.value("driftgauge_evaluation_failures_total") == 0
