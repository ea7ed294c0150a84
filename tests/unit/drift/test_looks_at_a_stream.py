"""Looks at a stream: each row is fed once, whatever overlaps, is lost, split or unusual."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.result import DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import StreamEvaluator
from tests.support.normal_streams import FEATURES, RULE, alarms, profiles, rows, state_of, stream
from tests.support.streams import Stream

pytestmark = pytest.mark.long
Floats = NDArray[np.float64]


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


def test_a_state_of_another_reference_is_dropped() -> None:
    """With another digest the detector starts again: the whole window is fed, and none of it is counted twice."""
    watched = stream()
    watched.append(rows(1, 500))
    watched.look()
    watched.evaluator = StreamEvaluator(profiles(), RULE, "another")

    actual = watched.look()

    assert (0, 0, 500) == (actual.fed, actual.skipped, state_of(actual).rows)


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
