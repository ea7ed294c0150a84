"""Two revisions compared on demand, from the rows and counts that a store has, with the time of a clock set by hand."""

from pathlib import Path

import numpy as np
import pytest

from driftgauge.admin.release_as_json import judge_release
from driftgauge.drift.canary.criteria import Criterion, CriterionState
from driftgauge.drift.canary.release_record import ReleaseRecord, pack_release, unpack_release
from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.release_comparer import ReleaseComparer
from driftgauge.monitoring.traffic_recorder import TrafficRecorder
from driftgauge.reference.dataset import schema_hash
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import Block, StreamKey, id_digests
from tests.support.models import WINE
from tests.support.monitor_fixture import COLUMNS, SCHEMA, MonitorFixture

STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))
PREDICTIONS = schema_hash(("quality",), (FeatureKind.NUMERIC,))
START = 1_000_000.0
REQUESTS = 20


class Releases:
    """A stable revision and a canary whose requests of each slot are in a store.

    Args:
        directory: Where the reference is.
    """

    def __init__(self, directory: Path) -> None:
        rows = np.random.default_rng(1).standard_normal((500, 3))
        header = ",".join([*COLUMNS, "prediction:quality"])
        np.savetxt(directory / "wine.csv", rows, "%.4f", ",", header=header, comments="")
        self.fixture = MonitorFixture(directory, MemoryRing(2_000), MemoryStates())
        self.fixture.clock.now = START
        self.rng = np.random.default_rng(7)
        self.metrics = Metrics("200")
        self.recorders = [TrafficRecorder(self.metrics, self.fixture.states, self.fixture.clock)]

    def comparer(self) -> ReleaseComparer:
        """What a replica has, without memory of its own."""
        fixture = self.fixture
        return ReleaseComparer(
            fixture.ring, fixture.states, fixture.targets, fixture.outputs, fixture.clock, window_rows=2_000
        )

    async def pass_minute(
        self, *, moved: float = 0.0, inputs: float = 0.0, failing: int = 0, slower: float = 1.0
    ) -> None:
        """Let a minute of requests to both pass; `moved` and the others are how the canary differs."""
        for _ in range(6):
            for model, own in ((STABLE, 0.0), (CANARY, 1.0)):
                times = self.fixture.clock.now + np.arange(REQUESTS) / 4
                rows = self.rng.standard_normal((REQUESTS, 2)) + own * inputs
                predictions = self.rng.standard_normal((REQUESTS, 1)) + own * moved
                await self._append(model, Kind.REQUEST, SCHEMA, rows, times)
                await self._append(model, Kind.RESPONSE, PREDICTIONS, predictions, times)
                series = self.metrics.model(model)
                for number in range(REQUESTS):
                    series.count_request("500" if own and number < failing else "200")
                    latency = 0.02 * float(np.exp(0.3 * self.rng.standard_normal()))
                    series.exchanges.fine_latency.observe(latency * (slower if own else 1.0))
            self.fixture.clock.now += 10
            self.recorders[0].count(round(self.fixture.clock.now / 10) - 1)
        await self.recorders[0].flush()

    async def _append(
        self,
        model: ModelKey,
        kind: Kind,
        schema: str,
        rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
        times: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> None:
        ones = np.ones(len(rows), dtype=np.int64)
        ids = id_digests(f"{kind}{number}" for number in range(len(rows)))
        await self.fixture.ring.append(StreamKey(model, kind), Block(schema, rows, ones, times, ids))


@pytest.fixture
async def releases(tmp_path: Path) -> Releases:
    """Two revisions before their first request, with a loaded reference."""
    found = Releases(tmp_path)
    await found.fixture.load_changed_reference()
    return found


async def states(releases: Releases, **differs: float) -> dict[Criterion, CriterionState]:
    """The states after a quarter of an hour that was looked at three times."""
    comparer, record = releases.comparer(), None
    for minute in range(1, 16):
        await releases.pass_minute(**differs)  # type: ignore[arg-type] # of one type each
        if minute % 5 == 0:
            record = await comparer.compare(CANARY, STABLE)
    comparer.close()
    assert record is not None
    return {one.criterion: one.state for one in judge_release(record, 100)}


@pytest.mark.parametrize(
    ("differs", "criterion"),
    [
        ({"moved": 0.7}, Criterion.DRIFT),
        ({"failing": 6}, Criterion.ERRORS),
        ({"slower": 2.0}, Criterion.LATENCY),
    ],
)
async def test_a_worse_canary_fails_by_its_criterion_alone(
    releases: Releases, differs: dict[str, float], criterion: Criterion
) -> None:
    """Predictions that moved, more errors, and longer latencies; without labels nothing is known of accuracy."""
    expected = dict.fromkeys(Criterion, CriterionState.OK) | {Criterion.ACCURACY: CriterionState.CANNOT_TELL}
    assert expected | {criterion: CriterionState.FAILED} == await states(releases, **differs)


async def test_the_same_model_does_not_fail(releases: Releases) -> None:
    """All that can be known is ok."""
    found = await states(releases)
    assert CriterionState.FAILED not in found.values()
    assert found[Criterion.DRIFT] is found[Criterion.ERRORS] is found[Criterion.LATENCY] is CriterionState.OK


async def test_other_inputs_make_predictions_incomparable(releases: Releases) -> None:
    """Routing that is not random moves inputs and predictions: the comparison cannot tell, and says why."""
    found = await states(releases, moved=0.7, inputs=0.7)
    assert found[Criterion.DRIFT] is CriterionState.CANNOT_TELL


async def test_replicas_know_what_others_have_found(releases: Releases) -> None:
    """What is known is in the store: a replica without memory continues, and no request counts twice."""
    one, other = releases.comparer(), releases.comparer()
    await releases.pass_minute()
    await releases.pass_minute()
    first = await one.compare(CANARY, STABLE)
    releases.fixture.clock.now += 6
    second = await other.compare(CANARY, STABLE)
    one.close()
    other.close()
    assert first is not None
    assert second is not None
    assert first.predictions is not None
    assert second.predictions is not None
    assert first.began == second.began
    assert 100 < first.traffic.requests[0] <= second.traffic.requests[0] <= 240
    assert first.predictions.requests[0] <= second.predictions.requests[0] <= 240


async def test_revisions_without_requests_are_unknown_and_leave_nothing_in_the_store(releases: Releases) -> None:
    """A query for any name must not fill the store."""
    comparer = releases.comparer()
    await releases.pass_minute()
    assert await comparer.compare(CANARY._replace(revision="v9"), STABLE) is None
    assert await comparer.compare(CANARY, STABLE._replace(revision="v9")) is None
    comparer.close()


async def test_a_release_that_nothing_looked_at_for_an_hour_begins_again(releases: Releases) -> None:
    """The next release of the same name is another one."""
    comparer = releases.comparer()
    await releases.pass_minute()
    await releases.pass_minute()
    first = await comparer.compare(CANARY, STABLE)
    releases.fixture.clock.now += 3_601
    await releases.pass_minute()
    second = await comparer.compare(CANARY, STABLE)
    comparer.close()
    assert first is not None
    assert second is not None
    assert second.began - first.began > 3_600


async def test_a_record_is_read_as_it_was_written_and_a_damaged_one_is_none(releases: Releases) -> None:
    """Bytes of another build, or cut ones, begin a comparison again."""
    comparer = releases.comparer()
    for _ in range(2):
        await releases.pass_minute(failing=3)
    record = await comparer.compare(CANARY, STABLE)
    comparer.close()
    assert record is not None
    blob = pack_release(record)
    again = unpack_release(blob)
    assert again is not None
    assert pack_release(again) == blob
    assert judge_release(again, 10) == judge_release(record, 10)
    for damaged in (b"", blob[:-8], b"{}\n", blob.replace(b'"format":2', b'"format":1')):
        assert unpack_release(damaged) is None
    assert unpack_release(pack_release(ReleaseRecord(1.0, 2.0))) is not None
