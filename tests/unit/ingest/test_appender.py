"""The appends of the pipeline: each ends by itself, and is counted when its outcome is known."""

import asyncio

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, Payload
from driftgauge.ingest.appender import Appender, Part
from driftgauge.ingest.row_reader import DecodedRows
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.ring import RingBuffer
from tests.support.models import labels
from tests.support.rings import BlockedRing, OneSidedRing, SilentRing
from tests.support.rows import REQUESTS, RESPONSES, WINE


class Bench:
    """An appender and its counts.

    Args:
        ring: Where rows go.
    """

    def __init__(self, ring: RingBuffer) -> None:
        self.metrics = Metrics("200")
        self.appender = Appender(ring, self.metrics)

    def outcomes(self) -> dict[tuple[str, str, str], int]:
        """How many payloads ended how: (kind, outcome, reason) -> number, zeros left out."""
        return {
            (sample.labels["kind"], sample.labels["outcome"], sample.labels["reason"]): int(sample.value)
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "driftgauge_payloads_total" and sample.value
        }

    def rows(self) -> float | None:
        """The counted rows."""
        return self.metrics.registry.get_sample_value("driftgauge_rows_total", labels(WINE))


def parts(payloads: int, kind: Kind = Kind.REQUEST) -> list[Part]:
    """Payloads of two rows each."""
    payload = Payload(kind, "id", WINE, b"", json_length=None, status=200, time=5.0)
    rows = DecodedRows(
        values=np.zeros((2, 1)),
        count=2,
        requests=np.array([2]),
        columns=("x",),
        kinds=(FeatureKind.NUMERIC,),
        missing=np.array([0]),
        schema="s",
    )
    return [((payload,), rows)] * payloads


@pytest.mark.parametrize(("adds", "outcome"), [(True, ("accepted", "")), (False, ("dropped", "storage"))])
async def test_an_append_without_a_reply_is_counted_when_its_outcome_is_found_out(
    adds: bool,  # noqa: FBT001 - parametrised
    outcome: tuple[str, str],
) -> None:
    """Until then its payloads are counted as nothing; the next append of the stream finds out."""
    ring = SilentRing(adds=adds)
    bench = Bench(ring)
    await bench.appender.append(REQUESTS, parts(3))
    before = (bench.appender.unsettled, bench.outcomes())
    ring.silent = False
    await bench.appender.append(REQUESTS, parts(1))
    window = await ring.read(REQUESTS, "s", 1)
    outcomes = bench.outcomes()
    first = outcomes.pop(("request", *outcome)) - (1 if adds else 0)

    assert (True, {}) == before
    assert first == 3
    assert outcomes == ({} if adds else {("request", "accepted", ""): 1})
    assert len(window.rows) == bench.rows()
    assert not bench.appender.unsettled


async def test_while_an_outcome_cannot_be_found_out_nothing_is_appended_to_the_stream() -> None:
    """The payloads are dropped for certain; other streams go on."""
    ring = SilentRing(adds=True)
    bench = Bench(ring)
    await bench.appender.append(REQUESTS, parts(3))
    ring.silent, ring.away = False, True
    await bench.appender.append(REQUESTS, parts(5))
    await bench.appender.append(RESPONSES, parts(7, Kind.RESPONSE))
    during = bench.outcomes()
    ring.away = False
    await bench.appender.settle_all()

    assert during == {("request", "dropped", "storage"): 5, ("response", "accepted", ""): 7}
    assert bench.outcomes() == {**during, ("request", "accepted", ""): 3}


@pytest.mark.parametrize(
    ("away", "outcome"), [(False, ("request", "accepted", "")), (True, ("request", "dropped", "storage"))]
)
async def test_an_unknown_outcome_is_looked_for_at_the_end(
    away: bool,  # noqa: FBT001 - parametrised
    outcome: tuple[str, str, str],
) -> None:
    """What cannot be found out then counts as dropped."""
    ring = SilentRing(adds=True)
    bench = Bench(ring)
    await bench.appender.append(REQUESTS, parts(3))
    ring.away = away
    await bench.appender.close()

    assert bench.outcomes() == {outcome: 3}


@pytest.mark.parametrize(
    ("error", "reason"), [(StorageError("full", may_be_done=False), "storage"), (ZeroDivisionError(), "internal")]
)
async def test_an_append_that_fails_is_counted_for_its_payloads_alone(error: Exception, reason: str) -> None:
    """Appends to other streams at the same time are not concerned."""
    bench = Bench(OneSidedRing(error))
    await asyncio.gather(
        bench.appender.append(RESPONSES, parts(2, Kind.RESPONSE)), bench.appender.append(REQUESTS, parts(3))
    )

    assert bench.outcomes() == {("response", "dropped", reason): 2, ("request", "accepted", ""): 3}


async def test_an_append_that_is_cancelled_is_settled_at_the_end() -> None:
    """At the end of a process an append may be under way."""
    ring = BlockedRing()
    bench = Bench(ring)
    task = asyncio.create_task(bench.appender.append(REQUESTS, parts(3)))
    await ring.reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    before = bench.outcomes()
    await bench.appender.close()

    assert before == {}
    assert bench.outcomes() == {("request", "dropped", "shutdown"): 3}
