"""What a report says of a window beside its verdict: what was tested, counted and measured."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.detector.verdict import no_detector
from driftgauge.drift.profile import categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.result import Change
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.effects import deciles
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import evaluate
from tests.support.effects import distance_of
from tests.support.tested_windows import BUDGET, COLUMNS, HOLM, colours, only, reference, report, window

Floats = NDArray[np.float64]


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_a_constant_feature(rule: Rule) -> None:
    """The same value is no drift; any other value is, and breaks the schema."""
    profile = numeric_profile("a", np.full(1000, 7.0))
    same, other = (only(profile, np.full(300, value), rule) for value in (7.0, 7.5))

    assert (0.0, False, Change.NONE) == (same.distance.statistic, same.drift, same.change)
    assert (1.0, True, Change.SCHEMA) == (other.distance.statistic, other.drift, other.change)
    assert (0, 300) == (same.outside, other.outside)
    assert None is other.effects.wasserstein


def test_columns_that_are_the_same_have_the_same_results() -> None:
    """A column that is in the reference twice is tested twice."""
    profile = reference()[1]
    values = window()[:, 1]
    first, second = evaluate(
        [profile, replace(profile, name="again")], np.stack([values, values], axis=1), BUDGET, PValues()
    ).features

    assert first.tests == second.tests
    assert (first.histogram, first.effects) == (second.histogram, second.effects)


def test_ignored_columns_are_only_named() -> None:
    """They take a column of each row; their values change nothing, and they raise no threshold of other features."""
    profiles = [ignored_profile("day", 1000), *reference()]
    rows = np.column_stack([np.full(300, np.nan), window()])
    actual = evaluate(profiles, rows, BUDGET, PValues())

    assert replace(report(window(), BUDGET), ignored=("day",)) == actual


def test_the_detector_s_verdict_is_by_column_of_the_reference() -> None:
    """Its arrays have a value for each column, ignored ones included."""
    profiles = [ignored_profile("day", 1000), *reference()]
    rows = np.column_stack([np.full(300, np.nan), window()])
    since = np.array([np.nan, 1.0, np.nan, 3.0])
    detector = replace(
        no_detector(4),
        factors=np.array([9.0, 1.0, 3.0, 2.0]),
        evidence=np.arange(4.0),
        threshold=7.0,
        since=since,
    )
    actual = evaluate(profiles, rows, BUDGET, PValues(), detector).features

    assert [300.0, 100.0, 150.0] == [one.effective_rows for one in actual]
    assert [1.0, 2.0, 3.0] == [one.tests[-1].statistic for one in actual]
    assert [1.0, None, 3.0] == [one.since for one in actual]


def test_a_reference_of_ignored_columns_gives_no_verdict() -> None:
    """The report says that there is nothing to test."""
    actual = evaluate([ignored_profile("day", 10)], np.full((300, 1), np.nan), HOLM, PValues())

    assert (None, None, (), ("day",)) == (actual.drift, actual.drifted_features, actual.untested, actual.ignored)
    assert "Cannot tell: there is nothing to test." == actual.reading


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_too_few_rows(rule: Rule) -> None:
    """With fewer than the least rows there is no verdict, and no feature is tested."""
    actual = report(window(49), rule)

    assert ((), COLUMNS, 49, None, None) == (
        actual.features,
        tuple(one.feature for one in actual.untested),
        actual.rows,
        actual.drift,
        actual.drifted_features,
    )
    assert "Cannot tell: the window has 49 rows, 50 are needed." == actual.reading


@pytest.mark.parametrize("min_rows", [0, 1])
@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_empty_window(min_rows: int, rule: Rule) -> None:
    """A window without rows has no verdict, whatever the rule's least number of rows."""
    actual = report(np.empty((0, 3)), replace(rule, min_rows=min_rows))

    assert (None, COLUMNS) == (actual.drift, tuple(one.feature for one in actual.untested))


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_one_row_can_not_alarm_against_one(rule: Rule) -> None:
    """Where no distance could alarm, the threshold is infinite and the tests cannot tell."""
    for profile in (numeric_profile("a", np.ones(1)), categorical_profile("a", np.ones(1), {})):
        actual = only(profile, np.array([2.0]), replace(rule, min_rows=1))

        assert (1.0, math.inf, None) == (actual.distance.statistic, actual.distance.threshold, actual.drift)
        assert math.inf == actual.detectable


def test_numbers_are_python_s_own() -> None:
    """A report has no numpy scalars, which JSON could not hold."""
    rows = window()
    rows[:60, 0] = np.nan
    for one in (*report(rows).features, only(colours(500, 500), np.zeros(300)), *report(rows, BUDGET).features):
        for test in one.tests:
            kinds = [type(value) for value in (test.statistic, test.p_value, test.threshold, test.drift)]
            assert [float, float, float, bool] == kinds
        numbers = [one.rows, one.missing, one.outside, one.effective_rows, one.detectable]
        effects = [one.effects.psi, one.effects.jensen_shannon]
        shares = [value for part in one.histogram for value in (part.reference, part.window)]

        assert [int, int, int, float, float] == [type(value) for value in numbers]
        assert {float} == {
            type(value) for value in (*effects, *shares, *one.window_quantiles, *one.reference_quantiles)
        }
        assert {type(part.upper) for part in one.histogram} <= {float, type(None)}


def test_quantiles_are_those_of_the_tested_values() -> None:
    """They reach from the least to the greatest value of window and reference, without missing values."""
    rows = window()
    rows[::7, 0] = np.nan
    actual = report(rows).features[0]
    values = reference()[0].values

    assert (np.nanmin(rows[:, 0]), np.nanmax(rows[:, 0])) == (actual.window_quantiles[0], actual.window_quantiles[-1])
    assert (values[0], values[-1]) == (actual.reference_quantiles[0], actual.reference_quantiles[-1])


def test_values_outside_the_reference_are_counted() -> None:
    """They are the numbers below or above its range; the ends belong to the range."""
    actual = only(numeric_profile("a", np.arange(100.0)), np.array([-1.0, 0.0, 50.0, 99.0, 99.5] * 20))

    assert 40 == actual.outside


def test_numbers_have_deciles_and_a_wasserstein_distance() -> None:
    """They are those of the reference's values, and of both samples."""
    reference_values, values = np.arange(50.0), np.arange(25.0, 75.0)
    actual = only(numeric_profile("a", reference_values), values)

    assert deciles(reference_values) == actual.reference_quantiles
    assert distance_of(reference_values, values) == actual.effects.wasserstein


def test_categories_have_neither() -> None:
    """Codes have no order; they have bins."""
    actual = only(categorical_profile("a", np.array([1.0, 2.0]), {1.0: "x"}), np.repeat([1.0, 2.0], 30))

    assert ((), None) == (actual.reference_quantiles, actual.effects.wasserstein)
    assert ["x", "#2", "unseen", "missing"] == [one.label for one in actual.histogram]


def test_wrong_width() -> None:
    """A window that is not as wide as the reference is the caller's fault."""
    with pytest.raises(ValueError, match="the window is 2 columns wide, for 3 columns of the reference"):
        report(np.zeros((300, 2)))


def test_infinity() -> None:
    """An infinity in the window is the caller's fault."""
    rows = window()
    rows[5, 0] = np.inf
    with pytest.raises(ValueError, match="the window holds an infinity"):
        report(rows)
