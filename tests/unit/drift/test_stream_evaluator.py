"""Evaluations of a stream: rows are fed once; alarms begin soon, end, and do not occur without drift.

The promise is one false alarm in 30 days; the streams below have a few thousand rows.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.result import CannotTellReason, DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from tests.support.streams import SampleSpec, Stream, autoregressive, in_requests, independent

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
RULE = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50, budget=BUDGET)
FEATURES = 3


def profiles(rows: int = 5000) -> list[Profile]:
    """Features whose reference is standard normal."""
    values = np.random.default_rng(1).normal(size=(FEATURES, rows))
    return [numeric_profile(f"f{index}", np.sort(column)) for index, column in enumerate(values)]


def stream(
    of: list[Profile] | None = None, rule: Rule = RULE, window_rows: int = 1000, request_rows: int = 1
) -> Stream:
    """A stream with an evaluator of its own."""
    return Stream(StreamEvaluator(of or profiles(), rule, "digest"), window_rows, request_rows)


def rows(seed: int, count: int, draw: SampleSpec = independent) -> Floats:
    """Rows with the reference's distribution, which may depend on each other."""
    return draw(np.random.default_rng(seed), count, FEATURES)


def state_of(evaluation: StreamEvaluation) -> DetectorState:
    """The detector's state after an evaluation."""
    assert evaluation.state is not None
    return evaluation.state


def alarms(evaluations: list[StreamEvaluation]) -> list[str]:
    """The alarms of each look."""
    return [
        f"{feature.feature}: {test.test} at look {index}"
        for index, one in enumerate(evaluations)
        for feature in one.report.features
        for test in feature.tests
        if test.drift
    ]


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


def test_overlapping_windows_feed_each_row_once() -> None:
    """However many rows come between two looks, those fed and those skipped add up to all rows."""
    watched = stream(window_rows=300)
    for seed, count in enumerate([40, 60, 1, 0, 299, 300, 301, 1000, 7, 0]):
        watched.append(rows(seed, count))
        watched.look()

    assert [0, 100, 1, 0, 299, 300, 300, 300, 7, 0] == [one.fed for one in watched.evaluations]
    assert [0, 0, 0, 0, 0, 0, 1, 700, 0, 0] == [one.skipped for one in watched.evaluations]
    assert watched.state is not None
    assert 1307 == watched.state.rows


def test_a_second_look_at_the_same_rows_changes_nothing() -> None:
    """The detector's state is the same object, however late it is: time without traffic does not count."""
    watched = stream()
    watched.append(rows(1, 500))
    first = watched.look().state

    assert first is watched.look().state
    assert first is watched.look(1e6).state


def test_rows_before_the_first_look_are_skipped() -> None:
    """A detector that starts with a full ring feeds it, and counts what was appended before."""
    watched = stream(window_rows=200)
    watched.append(rows(1, 1000))
    actual = watched.look()

    assert (200, 800) == (actual.fed, actual.skipped)


def test_too_few_rows() -> None:
    """Under `min_rows` rows nothing is fed, and no feature tested."""
    watched = stream()
    watched.append(rows(1, 49))
    actual = watched.look()

    assert (0, (), None) == (actual.fed, actual.report.features, actual.report.drift)


def test_an_empty_window_changes_nothing() -> None:
    """When all rows are too old the detector's state stays, and the next row is fed once."""
    watched = stream()
    watched.append(rows(1, 500))
    before = watched.look().state
    watched.age()
    during = watched.look()
    watched.append(rows(2, 1))
    after = watched.look()

    assert before is during.state
    assert (0, 1, 0) == (during.fed, after.fed, after.skipped)


def test_a_store_that_lost_rows() -> None:
    """The evidence stays; the rows after the loss are new ones, though they have the numbers of others."""
    watched = stream()
    watched.append(rows(1, 500))
    watched.look()
    watched.lose(100)
    watched.append(rows(2, 40))
    during = watched.look()
    watched.append(rows(3, 25))
    after = watched.look()

    assert (40, 0, 540) == (during.fed, during.skipped, state_of(during).rows)
    assert (25, 0, 565) == (after.fed, after.skipped, state_of(after).rows)


def test_a_request_that_is_split_over_two_evaluations_is_fed_once() -> None:
    """Its rows that come later are skipped and counted; the next request is fed again."""
    watched = stream(request_rows=8)
    watched.append(rows(20, 60))
    first = watched.look()
    watched.append(rows(21, 4))
    second = watched.look()
    watched.append(rows(22, 6))
    third = watched.look()

    assert [(60, 0), (0, 4), (6, 0)] == [(one.fed, one.skipped) for one in (first, second, third)]
    assert [60, 60, 66] == [state_of(one).rows for one in (first, second, third)]
    assert state_of(second).log_evidence is state_of(first).log_evidence


@pytest.mark.parametrize("jump", [1e9, -1e9, 0.0])
def test_a_clock_that_jumps_raises_no_alarm(jump: float) -> None:
    """Rows like the reference's are no evidence, whatever the clock shows."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    for seed in range(20):
        watched.append(rows(seed + 10, 100))
        watched.look(jump if seed % 2 else -jump)

    assert [] == alarms(watched.evaluations)


def test_a_state_of_another_reference_is_dropped() -> None:
    """With another digest the detector starts again: the whole window is fed, and none of it is counted twice."""
    watched = stream()
    watched.append(rows(1, 500))
    watched.look()
    watched.evaluator = StreamEvaluator(profiles(), RULE, "another")

    actual = watched.look()

    assert (0, 0, 500) == (actual.fed, actual.skipped, state_of(actual).rows)


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


def test_a_constant_column() -> None:
    """A column that is constant in reference and stream is no drift, and changes nothing for others.

    Its dependence is assumed, and that it is never known is no reason against a verdict.
    """
    of = profiles()
    of[1] = numeric_profile("f1", np.full(5000, 0.1))
    watched = stream(of)
    window = rows(1, 2000)
    window[:, 1] = 0.1

    assert [] == alarms(watched.feed(window, 200))
    assert watched.state is not None
    assert watched.evaluator.detector is not None
    verdict = watched.evaluator.detector.verdict(watched.state, 1_000)
    assert [16.0, False, False] == [verdict.factors[1], verdict.alike[1], verdict.unknown[1]]
    assert (verdict.factors[[0, 2]] < 2).all()
    assert not verdict.unknown[[0, 2]].any()


def test_all_values_missing() -> None:
    """A feature that is always missing alarms by its missing values, in the window and in the detector."""
    watched = stream()
    gone = rows(1, 300)
    gone[:, 2] = np.nan
    (evaluation,) = watched.feed(gone, 300)
    lacking = evaluation.report.features[2]

    assert {DriftTest.MISSING, DriftTest.SEQUENTIAL} == {test.test for test in lacking.tests if test.drift}


def test_an_unchanged_share_of_missing_values_is_no_drift() -> None:
    """A fifth of the values is missing in reference and stream; there is no alarm, even if they come in bursts."""
    of = [numeric_profile(one.name, one.values, 1250) for one in profiles()]
    bursts = rows(1, 4000)
    burst = np.repeat(np.random.default_rng(5).random(400) < 0.2, 10)
    bursts[burst, 0] = np.nan
    bursts[np.random.default_rng(6).random(4000) < 0.2, 1] = np.nan
    bursts[::5, 2] = np.nan

    assert [] == alarms(stream(of).feed(bursts, 200))


def test_many_new_categories() -> None:
    """Rows that each have a new category alarm at once."""
    codes = np.sort(np.random.default_rng(3).integers(0, 4, 5000)).astype(np.float64)
    watched = stream([categorical_profile("c", codes, {}), ignored_profile("date", 5000)])
    new = np.column_stack([np.arange(1e6, 1e6 + 300), np.full(300, np.nan)])
    (evaluation,) = watched.feed(new, 300)

    assert {"c: tv at look 0", "c: sequential at look 0"} == set(alarms([evaluation]))
    assert ("date",) == evaluation.report.ignored


def test_unknown_categories_of_a_reference_with_many_rare_ones() -> None:
    """A reference whose sample lacks a tenth of all categories allows for unknown ones: there is no alarm."""
    chances = 1 / np.arange(1.0, 3001.0)
    generator = np.random.default_rng(4)
    drawn = generator.choice(chances.size, 7000, p=chances / chances.sum()).astype(np.float64)
    watched = stream([categorical_profile("c", np.sort(drawn[:2000]), {})])
    evaluations = watched.feed(drawn[2000:, np.newaxis], 100)

    assert evaluations[-1].report.features[0].outside > 50
    assert [] == alarms(evaluations)


def test_without_a_budget_there_is_no_detector() -> None:
    """The report has no evidence, and there is no state."""
    watched = stream(rule=Rule(0.05, Correction.HOLM, 50))
    evaluation = watched.feed(rows(1, 200), 100)[-1]

    assert watched.evaluator.detector is None
    assert (0, 0) == (evaluation.fed, evaluation.skipped)
    assert {DriftTest.KS} == {test.test for feature in evaluation.report.features for test in feature.tests}
    assert evaluation.state is None


def test_cached_ranks_change_nothing() -> None:
    """An evaluator that has seen most of the rows reports the same as one that sees all for the first time."""
    watched = stream()
    watched.append(rows(1, 900))
    watched.look()
    watched.append(rows(2, 300))
    report, fresh = watched.look().report, stream()
    fresh.append(np.vstack([rows(1, 900), rows(2, 300)]))
    effects = [one.effects for one in fresh.look().report.features]

    assert effects == [one.effects for one in report.features]
    assert [one.distance.statistic for one in report.features] == [
        one.distance.statistic for one in fresh.evaluations[0].report.features
    ]


def test_the_checkpoint_is_called_between_features() -> None:
    """It is called at least once per feature when the evaluator is made and at each look."""
    calls: list[None] = []
    watched = Stream(StreamEvaluator(profiles(), RULE, "digest", lambda: calls.append(None)), 1000)
    made = len(calls)
    watched.append(rows(1, 100))
    watched.look()

    assert made >= FEATURES
    assert len(calls) >= made + FEATURES


@pytest.mark.parametrize("rule", [RULE, Rule(0.05, Correction.HOLM, 50)])
def test_an_infinity_is_refused(rule: Rule) -> None:
    """It is an error of the caller."""
    watched = stream(rule=rule)
    watched.append(np.full((60, FEATURES), np.inf))
    with pytest.raises(ValueError, match="holds an infinity"):
        watched.look()


def test_an_evaluator_for_another_stream_knows_no_rows_of_the_first() -> None:
    """Its report on another stream is that of an evaluator which was made for it."""
    first, moved = StreamEvaluator(profiles(), RULE, "digest"), rows(2, 500) + 1.0
    Stream(first, 1000).feed(rows(1, 500), 100)
    reports = [
        [one.report for one in Stream(evaluator, 1000).feed(moved, 100)]
        for evaluator in (first.for_another_stream(), StreamEvaluator(profiles(), RULE, "digest"))
    ]

    assert reports[1] == reports[0]
