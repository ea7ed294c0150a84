"""Looks at a stream: rows are fed once, alarms come soon and end, and do not come without drift.

The promise at stake is one false alarm in 30 days; the streams below have a few thousand rows.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.result import DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import Assessment, StreamEvaluator
from tests.support.streams import SampleSpec, Stream, autoregressive, in_requests, independent

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
    """A stream that such an assessor looks at."""
    return Stream(StreamEvaluator(of or profiles(), rule, "digest"), window_rows, request_rows)


def rows(seed: int, count: int, draw: SampleSpec = independent) -> Floats:
    """Rows like the reference's, but for their dependence on each other."""
    return draw(np.random.default_rng(seed), count, FEATURES)


def drifted(said: list[Assessment]) -> list[str]:
    """What alarmed, at each look."""
    return [
        f"{feature.feature}: {test.test} at look {index}"
        for index, one in enumerate(said)
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
    """100 looks at 64 new rows each, however they depend on each other, end without alarm."""
    watched = stream(request_rows=request_rows)

    assert [] == drifted(watched.feed(rows(seed, 6400, draw), 64))


def test_no_tolerance_and_no_alarm() -> None:
    """Without tolerance, what a reference of 500 rows gets wrong is still no alarm."""
    strict = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.0)
    watched = stream(profiles(500), Rule(0.05, Correction.HOLM, 50, strict))

    assert [] == drifted(watched.feed(rows(3, 6400), 64))


def test_alarm_soon_after_a_shift() -> None:
    """A standard deviation is found by the detector within 200 rows, and by the window soon after, nowhere else."""
    watched = stream()
    watched.feed(rows(1, 2000), 50)
    shifted = rows(2, 1000)
    shifted[:, 1] += 1.0
    said = watched.feed(shifted, 50)
    found = drifted(said)

    assert {"f1: ks", "f1: sequential"} == {entry.partition(" at")[0] for entry in found}
    assert {f"f1: {test} at look 19" for test in ("ks", "sequential")} < set(found)
    assert "f1: sequential at look 3" in found
    assert "f1: ks at look 10" in found


def test_since_is_when_the_alarm_began() -> None:
    """The report says when the detector's alarm began, and goes on saying so."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    said = watched.feed(rows(2, 1000) + 2.0, 100)
    times = {feature.since for one in said[1:] for feature in one.report.features}

    assert {watched.now - 8 * 60.0} | {watched.now - 9 * 60.0} >= times
    assert None not in times


def test_alarm_clears_when_the_data_are_back() -> None:
    """After a shift of 1000 rows, 3000 good ones end every alarm, and none comes again in 3000 more."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    alarmed = watched.feed(rows(2, 1000) + 1.0, 100)
    watched.feed(rows(3, 3000), 100)

    assert drifted(alarmed)
    assert [] == drifted(watched.feed(rows(4, 3000), 100))


def test_overlapping_windows_feed_each_row_once() -> None:
    """Whatever the rows between two looks, those fed and those skipped add up to those that came."""
    watched = stream(window_rows=300)
    for seed, count in enumerate([40, 60, 1, 0, 299, 300, 301, 1000, 7, 0]):
        watched.append(rows(seed, count))
        watched.look()

    assert [0, 100, 1, 0, 299, 300, 300, 300, 7, 0] == [one.fed for one in watched.said]
    assert [0, 0, 0, 0, 0, 0, 1, 700, 0, 0] == [one.skipped for one in watched.said]
    assert watched.state is not None
    assert 1307 == watched.state.rows


def test_looking_twice_is_looking_once() -> None:
    """A second look at the same rows leaves the detector's state as it was."""
    watched = stream()
    watched.append(rows(1, 500))
    first = watched.look().state

    assert first is watched.look().state


def test_rows_that_a_first_look_did_not_see_are_not_skipped() -> None:
    """A detector that starts at a full ring starts there: what was before is none of its business."""
    watched = stream(window_rows=200)
    watched.append(rows(1, 1000))
    actual = watched.look()

    assert (200, 0) == (actual.fed, actual.skipped)


def test_too_few_rows() -> None:
    """Under `min_rows` rows nothing is fed, and no feature tested."""
    watched = stream()
    watched.append(rows(1, 49))
    actual = watched.look()

    assert (0, (), None) == (actual.fed, actual.report.features, actual.report.drift)


def test_an_empty_window_changes_nothing() -> None:
    """When all rows have grown too old, the detector's state stays, and the next row is fed once."""
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
    """Rows that were lost leave the evidence as it is; the first rows after are not fed, later ones are."""
    watched = stream()
    watched.append(rows(1, 500))
    before = watched.look().state
    watched.lose(100)
    watched.append(rows(2, 40))
    during = watched.look()
    watched.append(rows(3, 25))
    after = watched.look()

    assert (0, 0) == (during.fed, during.skipped)
    assert before.log_evidence.tolist() == during.state.log_evidence.tolist()
    assert (25, 0, 465) == (after.fed, after.skipped, after.state.number)


@pytest.mark.parametrize("jump", [1e9, -1e9, 0.0])
def test_a_clock_that_jumps_raises_no_alarm(jump: float) -> None:
    """Whatever the clock says, rows like the reference's are no evidence."""
    watched = stream()
    watched.feed(rows(1, 1000), 100)
    for seed in range(20):
        watched.append(rows(seed + 10, 100))
        watched.look(jump if seed % 2 else -jump)

    assert [] == drifted(watched.said)


def test_a_state_of_another_reference_is_dropped() -> None:
    """With another digest the detector starts anew: all of the window is fed again."""
    watched = stream()
    watched.append(rows(1, 500))
    watched.look()
    watched.evaluator = StreamEvaluator(profiles(), RULE, "another")

    assert 500 == watched.look().fed


def test_dependence_is_remembered_over_windows() -> None:
    """The first look takes the window's factor for granted; a look at a tenth of a window moves it by a fortieth."""
    watched = stream(window_rows=1000)
    watched.append(rows(1, 1000, autoregressive(0.6)))
    first = watched.look().state.factors
    watched.append(rows(2, 100))
    second = watched.look().state.factors

    assert (first > 2.5).all()
    assert (np.abs(second - first) <= first / 40).all()


def test_effective_rows_lower_the_window_s_worth() -> None:
    """Rows of which neighbours correlate by 0.6 are worth about a fourth, and the bar is higher for it."""
    plain, alike = stream(), stream()
    plain.append(rows(1, 1000))
    alike.append(rows(1, 1000, autoregressive(0.6)))
    first, second = plain.look().report.features[0], alike.look().report.features[0]

    assert first.effective_rows > 800
    assert 150 < second.effective_rows < 400
    assert first.distance.threshold < second.distance.threshold
    assert first.detectable < second.detectable


def test_a_reference_of_one_row_never_alarms() -> None:
    """One row says nothing: no window and no evidence reaches a bar."""
    watched = stream([numeric_profile(f"f{index}", np.array([0.0])) for index in range(FEATURES)])

    assert [] == drifted(watched.feed(rows(1, 2000) + 9.0, 100))


def test_a_constant_column() -> None:
    """A column that is constant in reference and stream is no drift, nor does it harm the others."""
    of = profiles()
    of[1] = numeric_profile("f1", np.full(5000, 0.1))
    watched = stream(of)
    same = rows(1, 2000)
    same[:, 1] = 0.1

    assert [] == drifted(watched.feed(same, 200))
    assert watched.state is not None
    assert 1.0 == watched.state.factors[1]


def test_all_values_missing() -> None:
    """A feature that is never there any more alarms by its missing values, in the window and in the detector."""
    watched = stream()
    gone = rows(1, 300)
    gone[:, 2] = np.nan
    (said,) = watched.feed(gone, 300)
    lacking = said.report.features[2]

    assert {DriftTest.MISSING, DriftTest.SEQUENTIAL} == {test.test for test in lacking.tests if test.drift}


def test_values_missing_as_often_as_ever() -> None:
    """A fifth of the values missing, in the reference and in the stream, is no drift, in bursts neither."""
    of = [numeric_profile(one.name, one.values, 1250) for one in profiles()]
    bursts = rows(1, 4000)
    burst = np.repeat(np.random.default_rng(5).random(400) < 0.2, 10)
    bursts[burst, 0] = np.nan
    bursts[np.random.default_rng(6).random(4000) < 0.2, 1] = np.nan
    bursts[::5, 2] = np.nan

    assert [] == drifted(stream(of).feed(bursts, 200))


def test_an_explosion_of_categories() -> None:
    """Rows of which each has a category of its own alarm at once, and take no more room than others."""
    codes = np.sort(np.random.default_rng(3).integers(0, 4, 5000)).astype(np.float64)
    watched = stream([categorical_profile("c", codes, {}), ignored_profile("date", 5000)])
    new = np.column_stack([np.arange(1e6, 1e6 + 300), np.full(300, np.nan)])
    (said,) = watched.feed(new, 300)

    assert {"c: tv at look 0", "c: sequential at look 0"} == set(drifted([said]))
    assert ("date",) == said.report.ignored


def test_categories_of_which_most_are_rare() -> None:
    """A reference that has not met a tenth of all there is takes unknown ones for nothing new."""
    chances = 1 / np.arange(1.0, 3001.0)
    generator = np.random.default_rng(4)
    drawn = generator.choice(chances.size, 7000, p=chances / chances.sum()).astype(np.float64)
    watched = stream([categorical_profile("c", np.sort(drawn[:2000]), {})])
    said = watched.feed(drawn[2000:, np.newaxis], 100)

    assert said[-1].report.features[0].outside > 50
    assert [] == drifted(said)


def test_by_p_value_there_is_no_detector() -> None:
    """Without budget the report has no evidence, and the state stays what it was."""
    watched = stream(rule=Rule(0.05, Correction.HOLM, 50))
    said = watched.feed(rows(1, 200), 100)[-1]

    assert watched.evaluator.detector is None
    assert (0, 0) == (said.fed, said.skipped)
    assert {DriftTest.KS} == {test.test for feature in said.report.features for test in feature.tests}
    assert all(math.isnan(since) for since in said.state.since)


def test_what_is_known_of_rows_changes_nothing() -> None:
    """An assessor that has met most of the rows says the same of them as one that meets all for the first time."""
    watched = stream()
    watched.append(rows(1, 900))
    watched.look()
    watched.append(rows(2, 300))
    report, fresh = watched.look().report, stream()
    fresh.append(np.vstack([rows(1, 900), rows(2, 300)]))
    effects = [one.effects for one in fresh.look().report.features]

    assert effects == [one.effects for one in report.features]
    assert [one.distance.statistic for one in report.features] == [
        one.distance.statistic for one in fresh.said[0].report.features
    ]


def test_it_pauses_between_features() -> None:
    """Where it is made, and at each look, at least once a feature: others may wait for the interpreter."""
    pauses: list[None] = []
    watched = Stream(StreamEvaluator(profiles(), RULE, "digest", lambda: pauses.append(None)), 1000)
    made = len(pauses)
    watched.append(rows(1, 100))
    watched.look()

    assert made >= FEATURES
    assert len(pauses) >= made + FEATURES


@pytest.mark.parametrize("rule", [RULE, Rule(0.05, Correction.HOLM, 50)])
def test_an_infinity_is_refused(rule: Rule) -> None:
    """It is the caller's fault."""
    watched = stream(rule=rule)
    watched.append(np.full((60, FEATURES), np.inf))
    with pytest.raises(ValueError, match="holds an infinity"):
        watched.look()
