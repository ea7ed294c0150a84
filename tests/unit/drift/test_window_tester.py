"""The tests of one window: by which tests a feature drifts, and what corrects, tolerates and raises a threshold."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from driftgauge.drift.detector.verdict import no_detector
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import Change, DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.untested import NEAR_GREATEST
from tests.support.tested_windows import BUDGET, COLUMNS, HOLM, colours, only, reference, report, window

Floats = NDArray[np.float64]


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_the_shifted_feature_drifts(rule: Rule) -> None:
    """One feature drifts, two do not, by p-value and by budget."""
    actual = report(window(), rule)

    assert (True, 1, 300, ()) == (actual.drift, actual.drifted_features, actual.rows, actual.untested)
    assert [False, True, False] == [one.drift for one in actual.features]
    assert COLUMNS == tuple(one.feature for one in actual.features)
    assert [Change.NONE, Change.DRIFT, Change.NONE] == [one.change for one in actual.features]
    assert actual.reading.startswith("Drift in 1 of 3 features; shifted moved most (D 0.")


def test_numbers_are_those_of_scipy() -> None:
    """Statistic and p-value of a feature with missing values are scipy's of the values that are there."""
    rows = window()
    rows[::7, 0] = np.nan
    actual = report(rows).features[0]
    present = rows[~np.isnan(rows[:, 0]), 0]
    expected = ks_2samp(reference()[0].values, present, method="asymp")

    assert (present.size, 300 - present.size) == (actual.rows, actual.missing)
    assert float(expected.statistic) == pytest.approx(actual.distance.statistic, abs=1e-12)
    assert float(expected.pvalue) == pytest.approx(actual.distance.p_value, abs=1e-9)


@pytest.mark.parametrize("correction", Correction)
def test_a_p_value_below_its_level_alarms(correction: Correction) -> None:
    """Under every correction a test of distance alarms exactly if its statistic reaches its threshold."""
    tests = [one.distance for one in report(window(), Rule(alpha=0.05, correction=correction, min_rows=1)).features]

    assert [one.drift for one in tests] == [one.statistic >= one.threshold for one in tests]
    assert all(0.0 < one.threshold <= 1.0 for one in tests)


def test_holm_corrects_over_all_tests() -> None:
    """The smallest p-value is compared with alpha over the number of tests, the next one with one test less."""
    rows = window()
    expected = [
        float(ks_2samp(profile.values, column, method="asymp").pvalue)
        for profile, column in zip(reference(), rows.T, strict=True)
    ]
    smallest, middle, _ = sorted(expected)

    assert smallest < 0.05 / 3
    assert middle >= 0.05 / 2
    assert [value == smallest for value in expected] == [one.drift for one in report(rows).features]


def test_the_budget_sets_the_threshold() -> None:
    """A distance alarms above the sum of the tolerance and the errors of window and reference."""
    for one, rows in zip(report(window(), BUDGET).features, (1000, 900, 800), strict=True):
        assert BUDGET.budget is not None
        assert one.distance.threshold == BUDGET.budget.ks_threshold(rows, 300, 3)
        assert one.distance.drift == (one.distance.statistic > one.distance.threshold)


def test_the_budget_tolerates_what_the_p_value_does_not() -> None:
    """A shift of a tenth of a deviation is significant with ten thousand rows, and yet within the tolerance."""
    generator = np.random.default_rng(3)
    profile, values = numeric_profile("a", np.sort(generator.normal(size=20_000))), generator.normal(0.1, 1, 10_000)

    assert (True, False) == (only(profile, values).drift, only(profile, values, BUDGET).drift)


def test_dependent_rows_are_worth_less() -> None:
    """With 15, 30 or 1000 rows per independent row the threshold rises, until hardly anything, or nothing, alarms."""
    factors = np.array([15.0, 30.0, 1000.0])
    first = report(window(), BUDGET).features[0]
    actual = report(window(), BUDGET, replace(no_detector(3), factors=factors)).features
    thresholds = [one.distance.threshold for one in (first, *actual)]

    assert [20.0, 10.0, 1.0] == [one.effective_rows for one in actual]
    assert (300.0, False) == (first.effective_rows, first.drift)
    assert [False, None, None] == [one.drift for one in actual]
    assert thresholds[0] < thresholds[1] < NEAR_GREATEST <= thresholds[2] < 1
    assert (math.inf, math.inf) == (actual[2].distance.threshold, actual[2].detectable)
    assert thresholds[0] < first.detectable <= 1


def test_the_detector_is_one_more_test() -> None:
    """It alarms where its alarm has a beginning, whatever the window's tests say."""
    detector = replace(
        no_detector(3),
        evidence=np.array([8.5, 0.0, 9.0]),
        threshold=7.0,
        since=np.array([1234.5, np.nan, np.nan]),
    )
    actual = report(window(), BUDGET, detector)
    last = [one.tests[-1] for one in actual.features]

    assert [DriftTest.SEQUENTIAL] * 3 == [test.test for test in last]
    assert [(8.5, None, 7.0, True), (0.0, None, 7.0, False), (9.0, None, 7.0, False)] == [
        (test.statistic, test.p_value, test.threshold, test.drift) for test in last
    ]
    assert [1234.5, None, None] == [one.since for one in actual.features]
    assert [True, True, False] == [one.drift for one in actual.features]


def test_without_a_detector_an_alarm_has_no_beginning() -> None:
    """There is neither a sequential test nor a time."""
    for one in report(window()).features:
        assert ([DriftTest.KS], None) == ([test.test for test in one.tests], one.since)


def test_missing_values_have_a_test_of_their_own() -> None:
    """There is one if either side has missing values; its p-value is Pearson's, with Yates' correction."""
    rows = window()
    rows[:60, 0] = np.nan
    first, second, _ = report(rows).features
    missing = first.tests[1]
    expected = float(chi2_contingency([[1000, 0], [240, 60]]).pvalue)

    assert [DriftTest.KS, DriftTest.MISSING] == [test.test for test in first.tests]
    assert [DriftTest.KS] == [test.test for test in second.tests]
    assert missing.drift
    assert 0.2 == pytest.approx(missing.statistic)
    assert expected == pytest.approx(missing.p_value, rel=1e-9)
    assert "20% of the rows lack it" in first.reading


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_fewer_missing_values_are_drift_too(rule: Rule) -> None:
    """Half of the reference's rows have no value, all of the window's rows have one."""
    profile = replace(reference()[0], missing=1000)
    missing = only(profile, window()[:, 0], rule).tests[1]

    assert (DriftTest.MISSING, 0.5, True) == (missing.test, missing.statistic, missing.drift)


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
@pytest.mark.parametrize("profile", [reference()[0], colours(500, 500)])
def test_a_window_of_missing_values_alone(profile: Profile, rule: Rule) -> None:
    """There is no distance to test, but the share of missing values alarms."""
    actual = only(profile, np.full(300, np.nan), rule)

    assert [(DriftTest.MISSING, 1.0, True)] == [(one.test, one.statistic, one.drift) for one in actual.tests]
    assert (0, 300, 0, ()) == (actual.rows, actual.missing, actual.outside, actual.window_quantiles)
    assert (Change.SCHEMA, True) == (actual.change, actual.reading.startswith("Schema break: no row has"))
    assert 1.0 == actual.histogram[-1].window


def test_with_too_few_values_only_missing_ones_are_tested() -> None:
    """Ten values of 300 rows are too few for a distance."""
    rows = window()
    rows[10:, 2] = np.nan
    actual = report(rows)

    assert (3, ()) == (len(actual.features), actual.untested)
    assert [DriftTest.MISSING] == [test.test for test in actual.features[2].tests]


def test_categories_are_tested_by_total_variation() -> None:
    """It is half the sum of the gaps between shares; the p-value is Pearson's."""
    values = np.repeat([0.0, 1.0, 2.0], [100, 120, 80])
    actual = only(colours(500, 300, 200), values)
    expected = float(chi2_contingency([[500, 300, 200], [100, 120, 80]]).pvalue)

    assert (DriftTest.TV, True) == (actual.distance.test, actual.drift)
    assert abs(100 / 300 - 0.5) == pytest.approx(actual.distance.statistic)
    assert expected == pytest.approx(actual.distance.p_value, rel=1e-9)
    assert actual.distance.threshold <= actual.distance.statistic
    assert ((), ()) == (actual.window_quantiles, actual.reference_quantiles)
    assert "'red': 50% in the reference, 33% now" in actual.reading


@pytest.mark.parametrize(("red", "drift"), [(150, False), (156, False), (165, True), (200, True)])
def test_the_verdict_on_shares_changes_at_the_threshold(red: int, drift: bool) -> None:  # noqa: FBT001 - a column of the table
    """By p-value too, a test of shares alarms exactly if its statistic reaches its threshold."""
    distance = only(colours(500, 300, 200), np.repeat([0.0, 1.0, 2.0], [red, 180 - red // 2, 120 - red // 2])).distance

    assert drift == distance.drift == (distance.statistic >= distance.threshold)


@pytest.mark.parametrize("rule", [HOLM, BUDGET])
def test_many_new_categories_are_one_cell(rule: Rule) -> None:
    """A thousand categories that the reference does not know are one bin, and break the schema."""
    actual = only(colours(500, 300, 200), np.arange(1000.0, 2000.0), rule)

    assert (1.0, True, 1000) == (actual.distance.statistic, actual.drift, actual.outside)
    assert Change.SCHEMA is actual.change
    assert {"red", "white", "rosé", "unseen", "missing"} == {one.label for one in actual.histogram}


def test_a_reference_of_a_thousand_categories_is_no_alarm() -> None:
    """Rare categories that occur by chance are no drift by budget, which allows for cells chosen by the reference."""
    generator = np.random.default_rng(5)
    profile = categorical_profile("id", np.sort(generator.integers(0, 1000, 5000).astype(np.float64)), {})

    assert not only(profile, generator.integers(0, 1000, 500).astype(np.float64), BUDGET).drift
