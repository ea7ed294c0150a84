"""Labels that come in lumps: every matched one is judged, however many come between two regular looks."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from driftgauge.inference.payload import Kind
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.pace import LabelPace
from driftgauge.labels.waiting_label import WaitingLabel
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.protocol.label_values import Label
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelOutcome
from driftgauge.storage.leases import StoreClock
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import OUTCOME_WINDOWS, Progress, RingBuffer, StreamKey
from tests.support.clock import ManualClock
from tests.support.labelled_wine import LabelledWine, graded, write_reference
from tests.support.models import WINE

WINDOW_ROWS = 50
KEPT = OUTCOME_WINDOWS * WINDOW_ROWS
LABELS = 4 * KEPT
OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
OPTIONS = {"window_rows": WINDOW_ROWS, "baseline_rows": 40}


class Lump:
    """Two replicas that share one store; both match labels, and one of them evaluates.

    Args:
        replicas: The replicas.
        rings: The ring of each.
        clock: Their clock.
    """

    def __init__(self, replicas: list[LabelledWine], rings: list[RingBuffer], clock: ManualClock) -> None:
        self.replicas, self.rings, self.clock = replicas, rings, clock
        self.matchers = [
            Matcher(
                replica.store,
                LabelCounts(replica.metrics.registry, [*LabelOutcome]),
                MatcherLimits(300.0),
                LabelPace(ring, WINDOW_ROWS, 300.0, clock),
                clock,
            )
            for replica, ring in zip(replicas, rings, strict=True)
        ]

    async def settle(self) -> None:
        """All look, until one evaluates."""
        for replica in self.replicas * 3:
            await replica.watcher.refresh()
            await replica.look()

    async def offer(self) -> None:
        """Let responses wait, and offer a label of each, half to each replica."""
        predictions, labels = graded(LABELS, 0.9)
        ids = await self.replicas[0].respond(predictions)
        waiting = [
            WaitingLabel(Label("", 0, None, value, str(value), None), one, (WINE,), self.clock.now)
            for one, value in zip(ids, labels.tolist(), strict=True)
        ]
        for place, matcher in enumerate(self.matchers):
            assert matcher.offer([waiting[place :: len(self.matchers)]])

    async def advance(self) -> None:
        """Match what may be matched, and a second later look early."""
        for matcher in self.matchers:
            assert await matcher.advance()
        self.clock.now += 1
        for replica in self.replicas:
            await replica.monitor.look_early()

    def total(self, name: str, **labels: str) -> int:
        """A counter over all replicas."""
        return int(sum(replica.value(f"driftgauge_{name}_total", WINE, **labels) or 0 for replica in self.replicas))

    def close(self) -> None:
        """Stop the threads."""
        for replica in self.replicas:
            replica.close()


@pytest.fixture(params=["memory", "redis"])
async def lump(request: pytest.FixtureRequest, redis_client: Redis, tmp_path: Path) -> AsyncIterator[Lump]:
    """One process with all in memory, or two with one Redis."""
    write_reference(tmp_path)
    clock = ManualClock(time.time() - 1_000)  # Redis has a clock of its own, which is never behind
    rings: list[RingBuffer]
    if request.param == "memory":
        memory = MemoryRing(WINDOW_ROWS)
        labels = MemoryLabels(memory, LabelSlices(pending=24 * LABELS), clock)
        rings, replicas = [memory], [LabelledWine(tmp_path, labels, memory, clock, options=OPTIONS)]
    else:
        redis = [BoundedRedis(redis_client, 5) for _ in range(2)]
        rings = [RedisRing(one, WINDOW_ROWS, ttl_seconds=3_600) for one in redis]
        replicas = [
            LabelledWine(
                tmp_path,
                RedisLabels(one, WINDOW_ROWS, 3_600, LabelSlices(pending=24 * LABELS), clock),
                ring,
                clock,
                states=RedisStates(one, ttl_seconds=3_600),
                leases=RedisLeases(one, 3_600, StoreClock()),
                results=RedisResults(one, 3_600),
                options=OPTIONS,
            )
            for one, ring in zip(redis, rings, strict=True)
        ]
    made = Lump(replicas, rings, clock)
    yield made
    made.close()


async def test_every_label_of_a_lump_is_judged(lump: Lump) -> None:
    """Four times as many as are kept come between two regular looks: all are fed to the detector, none is skipped."""
    await lump.settle()
    await lump.offer()
    while any(matcher.waiting for matcher in lump.matchers):
        await lump.advance()
    for replica in lump.replicas:
        await replica.look()

    assert LABELS == lump.total("labels", outcome="matched") == lump.total("detector_rows", kind="outcome")
    assert lump.total("detector_skipped_rows", kind="outcome") == 0
    assert LABELS == lump.total("outcome_rows", output="grade")


async def test_without_looks_labels_wait_and_are_matched_in_the_end(lump: Lump) -> None:
    """The evaluator is dead: at half of what is kept they wait, go on after minutes, and count as skipped later."""
    await lump.offer()
    for matcher in lump.matchers:
        await matcher.advance()
    waiting = sum(matcher.waiting for matcher in lump.matchers)
    for _ in range(400 + LABELS):
        if not any(matcher.waiting for matcher in lump.matchers):
            break
        lump.clock.now += 1
        for matcher in lump.matchers:
            await matcher.advance()
    await lump.settle()

    assert LABELS - KEPT // 2 - KEPT // 20 * len(lump.matchers) <= waiting <= LABELS - KEPT // 2
    assert LABELS == lump.total("labels", outcome="matched")
    assert LABELS == lump.total("detector_rows", kind="outcome") + lump.total("detector_skipped_rows", kind="outcome")
    assert [Progress(LABELS, LABELS)] == await lump.rings[0].progress([OUTCOMES])
