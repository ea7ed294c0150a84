"""Whole releases that are looked at many times: the promise in short form, and looks that add nothing of their own."""

from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.canary.compared_rows import ComparedRows, RevisionRows, add_rows, no_rows
from driftgauge.drift.canary.compared_traffic import ComparedTraffic, add_traffic, no_traffic
from driftgauge.drift.canary.criteria import RULES, Criterion, CriterionState, judge_errors
from driftgauge.drift.canary.request_scores import score_count, table_scores
from driftgauge.drift.canary.strata import SLOT_SECONDS
from driftgauge.drift.canary.traffic_counts import TrafficSlot
from driftgauge.drift.profile import FeatureKind

KINDS = (FeatureKind.NUMERIC,)
LOOKS = 60
START = 1_000_020.0
SCORES = partial(table_scores, KINDS)
TRAFFIC_RULES = RULES[Criterion.ERRORS], RULES[Criterion.LATENCY]


class Release:
    """The requests of an hour, of which each comes to the canary with a chance that grows, and how they ended.

    Args:
        seed: Of the random numbers.
        rate: Requests a second.
        moved: How far predictions of the canary are above those of the stable revision, in standard deviations.
        failing: The share of the canary's requests that fail; of the stable revision's it is 2 %.
        slower: The ratio of the latencies.
    """

    def __init__(
        self, seed: int, *, rate: float = 2.0, moved: float = 0.0, failing: float = 0.02, slower: float = 1.0
    ) -> None:
        rng = np.random.default_rng(seed)
        seconds = LOOKS * 60.0
        number = max(2, rng.poisson(rate * seconds))
        self.times = START + np.sort(rng.random(number)) * seconds
        passed = (self.times - START) / seconds
        self.own = rng.random(number) < 0.1 + 0.4 * passed
        self.values = rng.standard_normal(number) + np.sin(6 * passed) + moved * self.own
        self.failed = rng.random(number) < np.where(self.own, failing, 0.02)
        logs = 0.3 * rng.standard_normal(number) + 0.5 * np.sin(6 * passed)
        self.buckets = np.round(64 + 8 * (logs / np.log(2) + np.log2(slower) * self.own)).astype(np.int64)

    def rows(self, until: float) -> tuple[RevisionRows, RevisionRows]:
        """Predictions of both up to a time, one row each."""
        both = []
        for chosen in (self.own, ~self.own):
            known = chosen & (self.times <= until)
            both.append(RevisionRows(self.values[known, np.newaxis], self.times[known], np.arange(known.sum())))
        return both[0], both[1]

    def slots(self) -> tuple[list[TrafficSlot], list[TrafficSlot]]:
        """Counts of both."""
        return self._slots(self.own), self._slots(~self.own)

    def _slots(self, chosen: NDArray[np.bool_]) -> list[TrafficSlot]:
        numbers = (self.times // SLOT_SECONDS).astype(np.int64)
        found = []
        for slot in np.unique(numbers[chosen]).tolist():
            there = chosen & (numbers == slot)
            buckets, counts = np.unique(self.buckets[there], return_counts=True)
            latencies = tuple(zip(buckets.tolist(), counts.tolist(), strict=True))
            found.append(TrafficSlot(slot, int(there.sum()), int(self.failed[there].sum()), latencies))
        return found


def looked(release: Release, seconds: list[float]) -> tuple[ComparedRows, ComparedTraffic]:
    """What is known after looks at these times since the start."""
    rows, traffic = no_rows(1, sum(map(score_count, KINDS))), no_traffic()
    slots = release.slots()
    for passed in seconds:
        until = START + passed
        rows = add_rows(rows, RULES[Criterion.DRIFT], SCORES, *release.rows(until), until)
        last = int(until // SLOT_SECONDS) - 1
        traffic = add_traffic(traffic, TRAFFIC_RULES, *slots, last, with_interval=False)
    return rows, traffic


def failures(release: Release) -> set[Criterion]:
    """The criteria that fail at any of sixty looks, one each minute."""
    rows, traffic = looked(release, [60.0 * (look + 1) for look in range(LOOKS)])
    known = {
        Criterion.DRIFT: rows.evidence,
        Criterion.ERRORS: traffic.errors,
        Criterion.LATENCY: traffic.latency,
    }
    return {criterion for criterion, evidence in known.items() if evidence.fails(RULES[criterion])}


def test_no_release_of_the_same_model_fails() -> None:
    """Twenty releases, each with sixty looks, while the hour and the share of the canary move."""
    assert [set()] * 20 == [failures(Release(seed)) for seed in range(20)]


@pytest.mark.parametrize(
    ("worse", "criterion"),
    [
        (Release(1, moved=0.5), Criterion.DRIFT),
        (Release(1, failing=0.25), Criterion.ERRORS),
        (Release(1, slower=2.0), Criterion.LATENCY),
    ],
)
def test_a_worse_canary_fails_by_its_criterion_alone(worse: Release, criterion: Criterion) -> None:
    """Of the same traffic."""
    assert {criterion} == failures(worse)


def test_a_canary_that_is_far_worse_does_not_pass_before_it_fails() -> None:
    """Two minutes of it might be a stall: the gate cannot tell, and fails later; one that is the same is ok."""
    found = {}
    for failing in (0.02, 0.5):
        release = Release(5, rate=20.0, failing=failing)
        for seconds in (120.0, 600.0):
            found[failing, seconds] = judge_errors(looked(release, [seconds])[1], 100)

    states = [one.state for one in found.values()]
    assert [CriterionState.OK, CriterionState.OK, CriterionState.CANNOT_TELL, CriterionState.FAILED] == states
    assert found[0.5, 120.0].reason.startswith("there is a difference in ")


def test_rows_that_do_not_last_for_a_slot_are_compared_all_the_same() -> None:
    """At 500 requests a second and a ring of four seconds a look finds what is there, and finds a move by it."""
    found = {}
    for moved in (0.0, 0.3):
        rng, known = np.random.default_rng(4), no_rows(1, sum(map(score_count, KINDS)))
        for look in range(8):
            now = START + 60 * look
            rings = []
            for offset in (moved, 0.0):
                times = np.sort(now - 4 * rng.random(2_000))
                rows = rng.standard_normal((2_000, 1)) + offset
                rings.append(RevisionRows(rows, times, np.arange(2_000), float(times[0])))
            known = add_rows(known, RULES[Criterion.DRIFT], SCORES, rings[0], rings[1], now - 10)
        found[moved] = known
    assert min(found[0.0].requests) > 8 * 1_900
    assert [False, True] == [one.evidence.fails(RULES[Criterion.DRIFT]) for one in found.values()]


@settings(max_examples=15, deadline=None)
@example(0, 0.02, [780])
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.02, 0.2, 1.0]),
    st.lists(st.integers(1, 3_599), max_size=30),
)
def test_many_looks_find_what_one_look_finds(seed: int, rate: float, earlier: list[int]) -> None:
    """Whenever there were looks before, also where requests are rare: strata end by numbers of requests alone."""
    release = Release(seed, rate=rate, moved=0.4, failing=0.2)
    many, once = (looked(release, [*map(float, looks), 3_600.0]) for looks in (sorted(earlier), []))

    assert many[0].requests == once[0].requests
    assert many[0].evidence.peaks == pytest.approx(once[0].evidence.peaks, abs=1e-9)
    np.testing.assert_allclose(many[0].evidence.likelihoods, once[0].evidence.likelihoods, atol=1e-9)
    assert (many[1].requests, many[1].failed) == (once[1].requests, once[1].failed)
    for name in ("errors", "latency"):
        assert getattr(many[1], name).peaks == pytest.approx(getattr(once[1], name).peaks, abs=1e-9)
