"""The tests of one window: which features are tested, by which tests, what is counted, and the verdict."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.verdict import DetectorVerdict, no_detector
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from driftgauge.drift.result import Change, DriftReport, DriftTest, FeatureDrift
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.effects import deciles
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.untested import NEAR_GREATEST
from driftgauge.drift.window_tester import evaluate
from tests.support.effects import distance_of

Floats = NDArray[np.float64]

COLUMNS = ("still", "shifted", "short")
HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50)
BUDGET = replace(HOLM, budget=Budget(false_alarm_seconds=30 * 86400, evaluation_seconds=60, tolerance=0.05))
COLOURS = {0.0: "red", 1.0: "white", 2.0: "rosé"}


def reference() -> tuple[Profile, ...]:
    """Three standard normal features of 1000, 900 and 800 values."""
    generator = np.random.default_rng(1)
    return tuple(
        numeric_profile(name, np.sort(generator.normal(size=size)))
        for name, size in zip(COLUMNS, (1000, 900, 800), strict=True)
    )


def window(rows: int = 300) -> Floats:
    """Two features, one as the reference, one shifted by a standard deviation; and one as short as the window."""
    return np.random.default_rng(4).normal([0.0, 1.0, 0.0], 1.0, size=(rows, 3))


def report(rows: Floats, rule: Rule = HOLM, detector: DetectorVerdict | None = None) -> DriftReport:
    """The report on a window."""
    return evaluate(reference(), rows, rule, PValues(), detector)


def only(profile: Profile, values: Floats, rule: Rule = HOLM) -> FeatureDrift:
    """The results of a single feature."""
    (feature,) = evaluate([profile], values.reshape(-1, 1), rule, PValues()).features
    return feature


def colours(red: int, white: int, pink: int = 0) -> Profile:
    """A column of categories."""
    return categorical_profile("colour", np.repeat([0.0, 1.0, 2.0], [red, white, pink]), COLOURS)


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
