"""Labels whose Redis is killed, restarted or stopped meanwhile: each ends in one outcome, and is matched once."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from driftgauge.inference.payload import Kind
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.pace import LabelPace
from driftgauge.labels.waiting_label import waiting_labels
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelOutcome, WaitingResponse
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import StreamKey, id_digests
from tests.support.clock import ManualClock
from tests.support.labelled import EARLY_SECONDS, LAYOUT, a_label
from tests.support.models import WINE
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

NOW = 1.7e9
LABELS = 400


def total(registry: CollectorRegistry, outcome: LabelOutcome) -> int:
    """How many labels ended so."""
    found = [sample for family in registry.collect() for sample in family.samples]
    return sum(int(one.value) for one in found if one.labels.get("outcome") == outcome)


@pytest.mark.parametrize("disturb", [RedisServer.kill, RedisServer.pause], ids=["killed", "stopped"])
async def test_every_label_ends_once(disturb: Callable[[RedisServer], None]) -> None:
    """Half of the labels come before the fault and half within it; what was matched is in the outcomes once."""
    registry, clock = CollectorRegistry(), ManualClock()
    with RedisServer() as server:
        client = connect(server.url, 0.5)
        redis = BoundedRedis(client, 0.5)
        store = RedisLabels(redis, 2_000, 3_600, LabelSlices(), lambda: NOW)
        pace = LabelPace(RedisRing(redis, 2_000, 3_600), 2_000, EARLY_SECONDS, clock)
        matcher = Matcher(
            store,
            LabelCounts(registry, [*LabelOutcome]),
            MatcherLimits(EARLY_SECONDS),
            pace,
            clock,
        )
        ids = id_digests(map(str, range(LABELS))).tolist()
        await store.put(WINE, LAYOUT, [WaitingResponse((one,), NOW, np.ones((1, 1))) for one in ids])
        labels = waiting_labels([a_label(str(number)) for number in range(LABELS)], (WINE,), clock.now)
        assert matcher.offer([labels[: LABELS // 2]])
        assert await matcher.advance()
        assert matcher.offer([labels[LABELS // 2 :]])
        working = asyncio.create_task(matcher.advance())
        await asyncio.sleep(0)
        disturb(server)
        await working
        server.resume() if disturb is RedisServer.pause else server.restart()
        while matcher.waiting:
            await matcher.advance()
        window = await RedisRing(redis, 2_000, 3_600).read(StreamKey(WINE, Kind.OUTCOME), LAYOUT.schema, 2)
        await matcher.close()
        await redis.close()
    counts = {outcome: total(registry, outcome) for outcome in LabelOutcome}
    assert LABELS == sum(counts.values())
    if disturb is RedisServer.pause:
        assert LABELS == counts[LabelOutcome.MATCHED] == len(window.rows)
    else:  # the server forgot all that waited
        assert LABELS // 2 <= counts[LabelOutcome.MATCHED] < LABELS


@pytest.mark.parametrize("is_long", [False, True], ids=["short", "long"])
async def test_posted_labels_are_counted_while_the_process_lives(*, is_long: bool) -> None:
    """Redis is killed amid them and comes back empty: none is lost uncounted, nor counted twice.

    Those that wait longer than for a response are dropped; the others are unknown, as their responses are gone.
    """
    registry, clock = CollectorRegistry(), ManualClock()

    def counted() -> int:
        """How many labels ended."""
        return sum(total(registry, outcome) for outcome in LabelOutcome)

    with RedisServer() as server:
        redis = BoundedRedis(connect(server.url, 0.5), 0.5)
        store = RedisLabels(redis, 2_000, 3_600, LabelSlices(), lambda: NOW)
        pace = LabelPace(RedisRing(redis, 2_000, 3_600), 2_000, EARLY_SECONDS, clock)
        matcher = Matcher(
            store,
            LabelCounts(registry, [*LabelOutcome]),
            MatcherLimits(EARLY_SECONDS),
            pace,
            clock,
        )
        ids = id_digests(map(str, range(LABELS))).tolist()
        await store.put(WINE, LAYOUT, [WaitingResponse((one,), NOW, np.ones((1, 1))) for one in ids])
        working = asyncio.create_task(matcher.run(0.01))
        for first in range(0, LABELS, 20):
            labels = [a_label(str(number)) for number in range(first, first + 20)]
            assert matcher.offer([waiting_labels(labels, (WINE,), clock.now)])
            if first == LABELS // 4:
                await until(lambda: counted() > 0)
                server.kill()
            await asyncio.sleep(0)
        if is_long:
            clock.now += EARLY_SECONDS
            await until(lambda: matcher.waiting == 0)
        server.restart()

        def all_asked() -> bool:
            """Whether the store was asked for all, after some more of the pause of a model that failed."""
            clock.now += 0.01
            return matcher.waiting == 0

        await until(all_asked)
        clock.now += EARLY_SECONDS
        await matcher.advance()
        assert LABELS == counted()
        assert 0 < total(registry, LabelOutcome.MATCHED) < LABELS
        assert is_long == (total(registry, LabelOutcome.UNKNOWN) == 0)
        assert is_long == (total(registry, LabelOutcome.DROPPED) > 0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await redis.close()
