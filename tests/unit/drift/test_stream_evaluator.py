"""Evaluations of a stream: alarms begin soon, end, and do not occur without drift.

The promise is one false alarm in 30 days; the streams below have a few thousand rows.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.result import CannotTellReason
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from tests.support.normal_streams import FEATURES, alarms, profiles, rows, state_of, stream
from tests.support.streams import SampleSpec, autoregressive, in_requests, independent

pytestmark = pytest.mark.long
Floats = NDArray[np.float64]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("draw", "request_rows"),
    [
        pytest.param(independent, 1, id="independent"),
        pytest.param(autoregressive(0.6), 1, id="autoregressive"),
        pytest.param(in_requests(8, 0.5), 8, id="requests of 8"),
        pytest.param(in_requests(32, 0.5), 32, id="requests of 32"),
    ],
)
def test_no_alarm_without_drift(draw: SampleSpec, request_rows: int, seed: int) -> None:
    """100 looks at 64 new rows each raise no alarm, however the rows depend on each other."""
    watched = stream(request_rows=request_rows)

    assert [] == alarms(watched.feed(rows(seed, 6400, draw), 64))


def test_no_alarm_without_drift_and_without_tolerance() -> None:
    """Without a tolerance, the error of a reference of 500 rows still raises no alarm."""
    strict = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.0)
    watched = stream(profiles(500), Rule(0.05, Correction.HOLM, 50, strict))

    assert [] == alarms(watched.feed(rows(3, 6400), 64))


def test_alarm_soon_after_a_shift() -> None:
    """The detector finds one standard deviation within 200 rows, the window soon after; no other feature alarms."""
    watched = stream()
    watched.feed(rows(1, 2000), 50)
    shifted = rows(2, 1000)
    shifted[:, 1] += 1.0
    found = alarms(watched.feed(shifted, 50))

    assert {"f1: ks", "f1: sequential"} == {entry.partition(" at")[0] for entry in found}
    assert {f"f1: {test} at look 19" for test in ("ks", "sequential")} < set(found)
    assert "f1: sequential at look 3" in found
    assert "f1: ks at look 10" in found


def test_since_is_when_the_alarm_began() -> None:
    """As long as the alarm lasts, reports have the time at which it began."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    evaluations = watched.feed(rows(2, 1000) + 5.0, 100)
    times = {feature.since for one in evaluations[1:] for feature in one.report.features}

    assert {watched.now - 8 * 60.0} | {watched.now - 9 * 60.0} >= times
    assert None not in times


def test_alarms_end_when_the_shift_does() -> None:
    """After a shift of 1000 rows, 3000 rows like the reference end every alarm, and 3000 more raise none."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    alarmed = watched.feed(rows(2, 1000) + 1.0, 100)
    watched.feed(rows(3, 3000), 100)

    assert alarms(alarmed)
    assert [] == alarms(watched.feed(rows(4, 3000), 100))


def test_a_window_that_alarms_recovers_below_its_threshold() -> None:
    """As normal rows replace shifted ones its distance falls: the alarm outlasts the threshold, then ends for good."""
    watched = stream()
    watched.feed(rows(1, 3000), 100)
    watched.feed(rows(2, 1000) + 0.6, 100)
    evaluations = watched.feed(rows(3, 1000), 20)
    tests = [evaluation.report.features[0].tests[0] for evaluation in evaluations]
    drifts = [test.drift for test in tests]
    between = [test.drift and test.statistic < test.threshold for test in tests]
    end = drifts.index(False)

    assert sum(between) > 2
    assert not any(drifts[end:])
    assert [test.drift for test in tests] == [state_of(one).raised[0, 0] == 1.0 for one in evaluations]
    assert not any(state_of(one).raised[:, 1].any() for one in evaluations)


@pytest.mark.parametrize("jump", [1e9, -1e9, 0.0])
def test_a_clock_that_jumps_raises_no_alarm(jump: float) -> None:
    """Rows like the reference's are no evidence, whatever the clock shows."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    for seed in range(20):
        watched.append(rows(seed + 10, 100))
        watched.look(jump if seed % 2 else -jump)

    assert [] == alarms(watched.evaluations)


def test_dependence_is_that_of_all_rows() -> None:
    """It is remembered beyond the window, and a look at a tenth of the rows changes little of it."""
    narrow, wide = stream(window_rows=200), stream(window_rows=4_000)
    for watched in (narrow, wide):
        watched.feed(rows(1, 3_000, autoregressive(0.6)), 100)
    assert narrow.state is not None
    assert wide.state is not None
    assert narrow.evaluator.detector is not None
    before = narrow.evaluator.detector.verdict(narrow.state, 1_000).factors
    expected = wide.state.spans.tobytes()

    assert expected == narrow.state.spans.tobytes()
    assert ((before > 2.5) & (before < 8)).all()  # it is 4

    after = narrow.feed(rows(2, 300), 100)[-1].state
    assert after is not None
    assert (np.abs(narrow.evaluator.detector.verdict(after, 1_000).factors / before - 1) < 0.25).all()


def test_dependent_rows_raise_the_threshold() -> None:
    """Rows whose neighbours correlate by 0.6 are worth about a fourth, and the threshold is higher."""
    plain, alike = stream(), stream()
    plain.append(rows(1, 1000))
    alike.append(rows(1, 1000, autoregressive(0.6)))
    first, second = plain.look().report.features[0], alike.look().report.features[0]

    assert first.effective_rows > 800
    assert 150 < second.effective_rows < 400
    assert first.distance.threshold < second.distance.threshold
    assert first.detectable < second.detectable


def test_one_burst_of_missing_values_raises_no_alarm_of_the_detector() -> None:
    """Twenty neighbouring rows without values, in a stream that had none, are too few informative pairs."""
    watched = stream()
    burst = rows(1, 4000)
    burst[2010:2030] = np.nan

    assert [] == [one for one in alarms(watched.feed(burst, 50)) if "sequential" in one]


def test_rows_whose_neighbours_are_too_alike_have_no_verdict() -> None:
    """A correlation of 0.99 lasts for hundreds of rows: there is no alarm, and the report says why."""
    evaluations = stream().feed(rows(5, 3200, autoregressive(0.99)), 100)
    reasons = [one.reason for evaluation in evaluations for one in evaluation.report.untested]

    assert [] == alarms(evaluations)
    assert reasons.count(CannotTellReason.ALIKE) > 40


def test_a_shift_counts_as_no_dependence() -> None:
    """A feature that moves by half a standard deviation is found, and keeps its verdict."""
    watched = stream()
    watched.feed(rows(1, 2000), 50)
    shifted = rows(2, 1500)
    shifted[:, 1] += 0.5
    evaluations = watched.feed(shifted, 50)

    assert any("f1: sequential" in one for one in alarms(evaluations))
    assert () == evaluations[-1].report.untested


def test_a_reference_of_one_row_never_alarms() -> None:
    """Neither window nor detector reaches a threshold."""
    watched = stream([numeric_profile(f"f{index}", np.array([0.0])) for index in range(FEATURES)])

    assert [] == alarms(watched.feed(rows(1, 2000) + 9.0, 100))


def test_an_unchanged_share_of_missing_values_is_no_drift() -> None:
    """A fifth of the values is missing in reference and stream; there is no alarm, even if they come in bursts."""
    of = [numeric_profile(one.name, one.values, 1250) for one in profiles()]
    bursts = rows(1, 4000)
    burst = np.repeat(np.random.default_rng(5).random(400) < 0.2, 10)
    bursts[burst, 0] = np.nan
    bursts[np.random.default_rng(6).random(4000) < 0.2, 1] = np.nan
    bursts[::5, 2] = np.nan

    assert [] == alarms(stream(of).feed(bursts, 200))
