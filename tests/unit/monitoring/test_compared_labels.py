"""The accuracy of two revisions compared on demand, from predictions and labels that met in a store."""

from pathlib import Path

import numpy as np
import pytest

from driftgauge.admin.release_as_json import judge_release
from driftgauge.drift.canary.criteria import Criterion, CriterionResult, CriterionState
from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import ModelKey
from driftgauge.monitoring.release_comparer import ReleaseComparer
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, LabelOutcome, StoredLabel, WaitingResponse
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.memory_labels import MemoryLabels
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

STABLE, CANARY = (WINE._replace(revision=revision) for revision in ("stable", "v2"))
CLASSES = LabelLayout(("grade",), (FeatureKind.CATEGORICAL,), ("grade",), (FeatureKind.CATEGORICAL,))
NUMBERS = LabelLayout(("price",), (FeatureKind.NUMERIC,), ("price",), (FeatureKind.NUMERIC,))
REQUESTS = 40
MINUTES = 12


class LabelledReleases:
    """Two revisions whose responses wait for labels in one store.

    Args:
        directory: Of the references, of which there are none.
    """

    def __init__(self, directory: Path) -> None:
        ring = MemoryRing(5_000)
        self.fixture = MonitorFixture(directory, ring, MemoryStates())
        self.fixture.clock.now = 1_000_000.0
        bounds = LabelSlices(ttl_seconds=86_400, pending=24 * 2_000)
        self.labels = MemoryLabels(ring, bounds, self.fixture.clock)
        self.rng = np.random.default_rng(3)
        self.id = 0

    def comparer(self, labels: MemoryLabels | None) -> ReleaseComparer:
        """What a replica has, without memory of its own."""
        one = self.fixture
        return ReleaseComparer(
            one.ring, one.states, one.targets, one.outputs, one.clock, window_rows=5_000, labels=labels
        )

    async def pass_minute(self, *, wrong: float, error: float | None = None) -> None:
        """Let both respond, and send a label to each response.

        Args:
            wrong: The share of the canary's classes that are wrong; of the stable revision's it is 10 %.
            error: The typical error of the canary's numbers, in place of classes; the stable revision's is 1.
        """
        self.fixture.clock.now += 60
        for model, share, scale in ((STABLE, 0.1, 1.0), (CANARY, wrong, error)):
            truth = self.rng.integers(1, 4, REQUESTS).astype(np.float64)
            if error is None:
                predicted = np.where(self.rng.random(REQUESTS) < share, truth + 1, truth)
                await self.label(model, CLASSES, predicted, truth)
            else:
                noise = (1.0 if scale is None else scale) * self.rng.standard_normal(REQUESTS)
                await self.label(model, NUMBERS, truth + 0.5 + noise, truth + 0.5)

    async def label(
        self,
        model: ModelKey,
        layout: LabelLayout,
        predicted: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
        truth: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> None:
        """Let a model respond with predictions, and send their labels."""
        ids = [self.id + number for number in range(1, len(truth) + 1)]
        self.id += len(truth)
        now = self.fixture.clock.now
        pairs = list(zip(ids, predicted.tolist(), strict=True))
        await self.labels.put(
            model, layout, [WaitingResponse((one,), now, np.array([[value]])) for one, value in pairs]
        )
        sent = [StoredLabel(one, 0, 0, value) for one, value in zip(ids, truth.tolist(), strict=True)]
        matches = await self.labels.match(model, layout, sent)
        assert {LabelOutcome.MATCHED} == {match.outcome for match in matches}

    async def watch(self, *, wrong: float = 0.1, error: float | None = None) -> CriterionResult:
        """The accuracy after looks of two replicas in turn, one each minute."""
        replicas, record = [self.comparer(self.labels), self.comparer(self.labels)], None
        for minute in range(MINUTES):
            await self.pass_minute(wrong=wrong, error=error)
            record = await replicas[minute % 2].compare(CANARY, STABLE)
        for one in replicas:
            one.close()
        assert record is not None
        return next(one for one in judge_release(record, 100) if one.criterion is Criterion.ACCURACY)


@pytest.fixture
def releases(tmp_path: Path) -> LabelledReleases:
    """Two revisions before their first response."""
    return LabelledReleases(tmp_path)


async def test_a_canary_that_is_wrong_more_often_fails(releases: LabelledReleases) -> None:
    """Each label counts once, whichever replica looks; the accuracies are those of the labels."""
    found = await releases.watch(wrong=0.5)

    assert found.state is CriterionState.FAILED
    assert (REQUESTS * MINUTES, REQUESTS * MINUTES) == found.requests
    assert found.values == pytest.approx((0.5, 0.9), abs=0.06)
    assert found.effect == pytest.approx(-0.4, abs=0.1)
    low, high = found.interval
    assert high is not None
    assert high < 0
    assert low is None or low < -0.3


async def test_a_canary_that_is_as_good_does_not_fail(releases: LabelledReleases) -> None:
    """Nor does one that is better."""
    assert (await releases.watch(wrong=0.1)).state is CriterionState.OK
    assert (await releases.watch(wrong=0.0)).state is CriterionState.OK


async def test_errors_of_numbers_are_compared_by_their_size(releases: LabelledReleases) -> None:
    """The values are mean absolute errors: of normal errors sqrt(2 / pi) = 0.798 of their standard deviation."""
    found = await releases.watch(error=3.0)

    assert found.state is CriterionState.FAILED
    assert found.values == pytest.approx((2.39, 0.798), rel=0.15)


async def test_numbers_are_not_taken_for_classes_by_a_look_at_too_few(releases: LabelledReleases) -> None:
    """The first two happen to be whole: what they are is decided once there are enough to compare."""
    early = releases.comparer(releases.labels)
    for model in (STABLE, CANARY):
        await releases.label(model, NUMBERS, np.array([3.0]), np.array([4.0]))
    assert await early.compare(CANARY, STABLE) is not None
    early.close()

    assert (await releases.watch(error=3.0)).values == pytest.approx((2.39, 0.798), rel=0.15)


async def test_few_labels_and_a_process_without_labels_cannot_tell(releases: LabelledReleases) -> None:
    """The one says how many it has, the other why there are none."""
    few, none = releases.comparer(releases.labels), releases.comparer(None)
    await releases.pass_minute(wrong=0.9)
    first = await few.compare(CANARY, STABLE)
    second = await none.compare(CANARY, STABLE)
    few.close()
    none.close()

    assert first is not None
    found = judge_release(first, 100)[-1]
    assert (CriterionState.CANNOT_TELL, (REQUESTS, REQUESTS)) == (found.state, found.requests)
    assert second is None  # there is neither traffic nor a row that it could compare
